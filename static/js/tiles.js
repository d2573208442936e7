/* The layer of a world. A tile shows its enlarged ancestor at once and sharpens when its own picture is ready. */

import { tilePath } from "./address.js";
import { finals, previews } from "./lanes.js";

const L = window.L;
const LONGEST_WAIT = 30; // seconds between two tries

/** One tile on the screen: what it has been given, what it still wants, and what went wrong. */
class Tile {
  constructor(layer, coords, done) {
    this.layer = layer;
    this.coords = coords;
    this.ready = done;
    this.element = L.DomUtil.create("div", "tile");
    this.distance = 0;
    this.finished = false;
    this.failed = null; // the server's message, while it waits to try again
    this.tries = 0;
    this.preview = { run: (signal) => this.#fetchPreview(signal), distance: 0 };
    this.final = { run: (signal) => this.#fetchFinal(signal), distance: 0 };
  }

  get isBase() {
    return this.coords.z <= this.layer.source.baseZoom;
  }

  want() {
    if (this.finished || this.wanted || this.layer.resting) return;
    this.wanted = true;
    this.measure();
    if (!this.isBase && !this.canvas) previews.add(this.preview);
    finals.add(this.final);
  }

  /** It left the screen: nothing is asked for it any more, here or at the server. */
  drop() {
    this.wanted = false;
    clearTimeout(this.retry);
    previews.drop(this.preview);
    finals.drop(this.final);
  }

  /** Distance from the middle of the map, in pixels; tells whether any of the tile can be seen. */
  measure() {
    const tile = this.element.getBoundingClientRect();
    const map = this.layer._map.getContainer().getBoundingClientRect();
    const [dx, dy] = [tile.x + tile.width / 2 - map.x - map.width / 2, tile.y + tile.height / 2 - map.y - map.height / 2];
    this.distance = this.preview.distance = this.final.distance = Math.hypot(dx, dy);
    return Math.abs(dx) < (tile.width + map.width) / 2 && Math.abs(dy) < (tile.height + map.height) / 2;
  }

  #path(ext) {
    return tilePath(this.layer.source, this.coords.z, this.coords.x, this.coords.y, ext);
  }

  async #fetchPreview(signal) {
    try {
      const response = await fetch(this.#path("jpg") + "?preview=1", { signal });
      if (!response.ok) return;
      const picture = await createImageBitmap(await response.blob());
      if (this.finished || signal.aborted) return;
      this.#draw(picture);
      // Zooming out, the old and finer tiles still cover this one: they stay until it is really there.
      if (!this.layer.isCovered(this.coords)) this.#show();
    } catch (error) {
      if (error.name !== "AbortError") console.info(`no preview of ${this.#path("png")}: ${error.message}`);
    }
  }

  async #fetchFinal(signal) {
    const started = performance.now();
    try {
      const response = await fetch(this.#path("png"), { signal });
      if (!response.ok) throw await refusal(response);
      const picture = await createImageBitmap(await response.blob());
      if (signal.aborted) return;
      this.#finish(picture, response.headers, performance.now() - started);
    } catch (error) {
      if (error.name !== "AbortError") this.#fail(error);
    }
  }

  #finish(picture, headers, waited) {
    previews.drop(this.preview);
    this.finished = true;
    this.wanted = false;
    this.failed = null;
    delete this.element.dataset.trouble;
    this.#draw(picture);
    this.element.dataset.state = "final";
    const made = /render;dur=([\d.]+)/.exec(headers.get("Server-Timing") || "");
    const cache = headers.get("X-Cache");
    this.info = { origin: this.isBase ? "base" : cache === "hit" ? "store" : "made", ms: made ? Number(made[1]) : waited };
    this.#show();
    this.layer.fire("tilefinished", { tile: this });
  }

  /** Tell Leaflet, once: it fades a tile in from nothing each time it hears that one is ready. */
  #show() {
    if (!this.shown) this.ready(null, this.element);
    this.shown = true;
  }

  /** Some answers will not change (no such world); for all others it tries again by itself, ever more patiently. */
  #fail(error) {
    this.failed = error.message;
    this.wanted = !error.final;
    const seconds = Math.min(error.retryAfter || 2 ** this.tries, LONGEST_WAIT);
    this.tries += 1;
    this.element.dataset.trouble = error.final ? error.message : `${error.message}\nTrying again in ${seconds} s`;
    this.element.classList.add("leaflet-tile-loaded"); // visible, though nothing has been drawn
    if (!error.final) this.retry = setTimeout(() => this.wanted && finals.add(this.final), seconds * 1000);
    this.layer.fire("tilefailed", { tile: this, error });
  }

  /** The new picture goes over the old one and fades in; then the old one goes. */
  #draw(picture) {
    const canvas = L.DomUtil.create("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0);
    picture.close();
    const old = this.canvas;
    this.canvas = canvas;
    this.element.append(canvas);
    if (old) canvas.animate({ opacity: [0, 1] }, this.layer.fade()).finished.then(() => old.remove(), () => old.remove());
  }
}

/** The server's own words for why there is no tile. */
async function refusal(response) {
  const body = await response.json().catch(() => null);
  const error = new Error(body?.error?.message || `The server answered ${response.status}.`);
  error.code = body?.error?.code;
  error.final = response.status < 500 && response.status !== 429;
  error.retryAfter = Number(response.headers.get("Retry-After")) || 0;
  return error;
}

/**
 * Tiles of one source {world, seed, version, baseZoom}.
 * Events: "tilefinished" {tile}, "tilefailed" {tile, error} and "tilewanted" when there is more to do.
 */
export class WorldLayer extends L.GridLayer {
  constructor(source) {
    super({ maxNativeZoom: 15, maxZoom: 17, minZoom: 0, keepBuffer: 1, updateWhenIdle: false, updateWhenZooming: false });
    this.source = source;
    this.tiles = new Map(); // element -> Tile
    this.on("tileunload", ({ tile }) => {
      this.tiles.get(tile)?.drop();
      this.tiles.delete(tile);
    });
  }

  onAdd(map) {
    super.onAdd(map);
    map.on("moveend", this.reconsider, this);
  }

  onRemove(map) {
    map.off("moveend", this.reconsider, this);
    this.rest();
    super.onRemove(map);
  }

  /** Leaflet asks for the element and is told through done when it may be shown. */
  createTile(coords, done) {
    const tile = new Tile(this, coords, (...result) => this._map && done(...result));
    this.tiles.set(tile.element, tile);
    queueMicrotask(() => { // by then it stands where it belongs
      if (!this._map || !this.tiles.has(tile.element)) return;
      tile.want();
      this.fire("tilewanted");
    });
    return tile.element;
  }

  /** After a move: what can be seen is wanted, nearest first; what cannot is dropped, and asked again if it comes back. */
  reconsider() {
    for (const tile of this.tiles.values()) {
      if (tile.coords.z === this._tileZoom && tile.measure()) tile.want();
      else tile.drop();
    }
    this.fire("tilewanted");
  }

  /** Ask for nothing more; what has been drawn stays until another layer has covered it. */
  rest() {
    this.resting = true;
    for (const tile of this.tiles.values()) tile.drop();
  }

  /** Leaflet calls this when the zoom changes: tiles of other zooms are not wanted any more. */
  _abortLoading() {
    for (const tile of this.tiles.values()) if (tile.coords.z !== this._tileZoom) tile.drop();
  }

  /** Do finer tiles, finished and still on the screen, lie over this place? */
  isCovered({ x, y, z }) {
    for (const tile of this.tiles.values()) {
      const steps = tile.coords.z - z;
      if (tile.finished && steps > 0 && steps < 3 && tile.coords.x >> steps === x && tile.coords.y >> steps === y) return true;
    }
    return false;
  }

  fade() {
    return { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 260, easing: "ease-out" };
  }

  /** Tiles of the present zoom that are still to come. */
  pending() {
    return [...this.tiles.values()].filter((tile) => tile.wanted);
  }

  /** What is known of one tile: {origin, ms}, or nothing yet. */
  infoAt({ x, y, z }) {
    for (const { coords, info } of this.tiles.values()) if (coords.x === x && coords.y === y && coords.z === z) return info;
    return null;
  }

  /** A picture of what can be seen: a canvas of the map's size, and its bounds in pixels of the tiles' zoom. */
  snapshot() {
    const zoom = this._tileZoom;
    const bounds = this._getTiledPixelBounds(this._map.getCenter());
    const size = bounds.getSize();
    const canvas = L.DomUtil.create("canvas");
    [canvas.width, canvas.height] = [Math.round(size.x), Math.round(size.y)];
    const context = canvas.getContext("2d");
    for (const [key, { el }] of Object.entries(this._tiles)) {
      const at = this._keyToTileCoords(key);
      const drawn = this.tiles.get(el)?.canvas;
      if (at.z === zoom && drawn) context.drawImage(drawn, at.x * 256 - Math.round(bounds.min.x), at.y * 256 - Math.round(bounds.min.y), 256, 256);
    }
    return { canvas, zoom, left: Math.round(bounds.min.x), top: Math.round(bounds.min.y) };
  }
}
