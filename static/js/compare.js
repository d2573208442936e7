/* Two worlds, or four seeds, of one place: maps tied together, laid out by the style sheet from the stage's mode. */

import { nextSeed } from "./address.js";
import { View } from "./view.js";

const L = window.L;
const NORTH = 85.06;
const BLINK = 1400; // ms

/** Keep a map between the poles; sideways it may go round for ever. */
export function confine(map) {
  map.options.maxBoundsViscosity = 1;
  map.setMaxBounds([[-NORTH, -1e5], [NORTH, 1e5]]);
}

export class Compare {
  /** @param sourceOf turns {world, seed} into a source; @param onView is told of every view that comes to the stage */
  constructor(stage, main, { sourceOf, onView, onPick }) {
    Object.assign(this, { stage, main, sourceOf, onView, onPick });
    this.twins = [];
    this.mode = null;
    this.leader = main.map;
    this.#tie(main.map);
    this.#bindHandle(stage.querySelector("#swipe"));
  }

  get views() {
    return [this.main, ...this.twins];
  }

  /** Lay the stage out for a mode (null, "swipe", "twins", "four", "blink") against another {world, seed}. */
  set(mode, other) {
    const changed = mode !== this.mode;
    if (changed) this.pause();
    const others = !mode ? [] : mode === "four" ? this.#threeMore() : [other];
    while (this.twins.length > others.length) this.#removeTwin();
    this.mode = mode;
    this.stage.dataset.mode = mode || "single";
    this.stage.querySelector("#swipe").hidden = mode !== "swipe";
    while (this.twins.length < others.length) this.#addTwin();
    others.forEach((spec, i) => this.twins[i].show(this.sourceOf(spec)));
    if (!changed) return this.#label();
    this.stage.classList.remove("other");
    for (const { map } of this.views) map.invalidateSize({ animate: false });
    this.#follow();
    this.#label();
    if (mode === "swipe") this.#split(50);
    if (mode === "blink" && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  /** The next three seeds of the main view's world. */
  #threeMore() {
    const { world, seed, version } = this.main.source;
    const seeds = [seed];
    while (seeds.length < 4) seeds.push(nextSeed(seeds.at(-1)));
    return seeds.slice(1).map((next) => ({ world, seed: next, version }));
  }

  #addTwin() {
    const pane = L.DomUtil.create("div", "pane twin", this.stage);
    const element = L.DomUtil.create("div", "map", pane);
    const chip = L.DomUtil.create("button", "chip", pane);
    chip.type = "button";
    const { options } = this.main.map;
    const map = L.map(element, { ...options, center: this.main.map.getCenter(), zoom: this.main.map.getZoom(), maxBounds: null });
    confine(map);
    element.setAttribute("role", "region");
    const view = new View(map);
    view.pane = pane;
    chip.addEventListener("click", () => this.onPick(view.source));
    this.twins.push(view);
    this.#tie(map);
    this.onView(view);
  }

  #removeTwin() {
    const view = this.twins.pop();
    view.remove();
    view.pane.remove();
    this.leader = this.main.map;
  }

  #label() {
    this.views.forEach((view, i) => {
      const pane = view.map.getContainer().closest(".pane");
      const chip = pane.querySelector(".chip");
      const { title, seed } = view.source;
      chip.hidden = !this.mode;
      chip.textContent = `${title} · ${seed}`;
      chip.title = i ? "Go to this one" : "You are here";
      view.map.getContainer().setAttribute("aria-label", `Map of ${title}, seed ${seed}`);
    });
  }

  /** The map a person holds leads; the others follow. */
  #tie(map) {
    const container = map.getContainer();
    for (const kind of ["pointerdown", "wheel", "focusin"]) {
      container.addEventListener(kind, () => { this.leader = map; }, { capture: true, passive: true });
    }
    map.on("move", () => map === this.leader && this.#follow());
    map.on("zoomanim", ({ center, zoom }) => {
      if (map !== this.leader) return;
      for (const other of this.#others()) other.setView(center, zoom, { animate: true });
    });
  }

  lead() {
    this.leader = this.main.map;
  }

  #others() {
    return this.views.map((view) => view.map).filter((map) => map !== this.leader);
  }

  #follow() {
    const [center, zoom] = [this.leader.getCenter(), this.leader.getZoom()];
    if (!Number.isInteger(zoom)) return; // between two fingers: the end of the pinch tells
    for (const other of this.#others()) {
      if (!other._animatingZoom) other.setView(center, zoom, { animate: false });
    }
  }

  play() {
    this.blinking = setInterval(() => this.blink(), BLINK);
  }

  pause() {
    clearInterval(this.blinking);
    this.blinking = null;
  }

  /** Show the other one, or the first again. */
  blink() {
    this.stage.classList.toggle("other");
  }

  #split(share) {
    this.share = Math.min(Math.max(share, 0), 100);
    this.stage.style.setProperty("--split", `${this.share}%`);
    this.stage.querySelector("#swipe").setAttribute("aria-valuenow", Math.round(this.share));
  }

  #bindHandle(handle) {
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const { left, width } = this.stage.getBoundingClientRect();
      this.#split((100 * (event.clientX - left)) / width);
    });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 }[event.key];
      if (!step) return;
      this.#split(this.share + step);
      event.preventDefault();
      event.stopPropagation();
    });
  }
}
