/* One map showing one source. A change of source never blanks the map: the old picture stays until the new one covers it. */

import { WorldLayer } from "./tiles.js";

export class View extends EventTarget {
  constructor(map) {
    super();
    this.map = map;
    this.covered = []; // layers on their way out
  }

  /** Show another source {world, seed, version, baseZoom}. */
  show(source) {
    if (["world", "seed", "version"].every((part) => this.source?.[part] === source[part])) return;
    if (this.layer) this.covered.push(this.layer);
    for (const old of this.covered) old.rest();
    const layer = new WorldLayer(source);
    this.source = source;
    this.layer = layer;
    layer.once("load", () => setTimeout(() => this.#uncover(layer), 300)); // Leaflet fades a tile in for 200 ms
    layer.on("tilewanted tilefinished tilefailed", (event) => {
      if (layer === this.layer) this.dispatchEvent(new CustomEvent(event.type, { detail: event }));
    });
    layer.addTo(this.map);
  }

  #uncover(layer) {
    if (layer !== this.layer) return;
    for (const old of this.covered.splice(0)) old.remove();
  }

  /** True when every tile in view is the real one. */
  get settled() {
    return this.layer.pending().length === 0;
  }

  /** Resolves when the view is settled, with the layer that shows it. */
  whenSettled() {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.settled) return;
        this.removeEventListener("tilefinished", look);
        this.removeEventListener("tilewanted", look);
        resolve(this.layer);
      };
      this.addEventListener("tilefinished", look);
      this.addEventListener("tilewanted", look);
      look();
    });
  }

  remove() {
    this.layer.rest();
    this.map.remove();
  }
}
