/* The tile grid: each tile's address, what it was made from and how long that took. */

const L = window.L;

export class TileGrid extends L.GridLayer {
  constructor(view) {
    super({ maxNativeZoom: 15, maxZoom: 17, keepBuffer: 0, className: "tile-grid", zIndex: 100 });
    this.view = view;
    this.cells = new Map(); // element -> coords
    this.on("tileunload", ({ tile }) => this.cells.delete(tile));
    const update = () => this.write();
    view.addEventListener("tilefinished", update);
    view.addEventListener("tilewanted", update);
    view.addEventListener("tilefailed", update);
  }

  createTile(coords) {
    const cell = L.DomUtil.create("div", "cell");
    cell.append(L.DomUtil.create("span"));
    this.cells.set(cell, coords);
    queueMicrotask(() => this.write());
    return cell;
  }

  write() {
    for (const [cell, coords] of this.cells) {
      const info = this.view.layer.infoAt(coords);
      cell.firstChild.textContent = `${coords.z}/${coords.x}/${coords.y}\n${info ? origin(info) : "on its way"}`;
    }
  }
}

function origin({ origin, ms }) {
  const time = ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
  return { base: `base, not imagined · ${time}`, store: `imagined before, stored · ${time}`, made: `imagined now · ${time}` }[origin];
}
