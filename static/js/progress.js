/* "12 tiles, about 4 s": what the page still waits for, counted here; how long, from the pace that is really seen. */

import { baseKind } from "./reading.js";

const PATIENCE = 350; // ms before saying anything: stored tiles come sooner
const RECENT = 8; // finished tiles that tell the pace

export class Progress {
  constructor(stage, text, line, views) {
    this.stage = stage;
    this.text = text;
    this.line = line;
    this.views = views; // () -> the views on the screen
    this.reset();
  }

  reset() {
    this.began = null;
    this.finished = [];
    this.server = null;
    clearInterval(this.clock);
    clearTimeout(this.patience);
  }

  watch(view) {
    view.addEventListener("tilewanted", () => this.#look());
    view.addEventListener("tilefailed", () => this.#look());
    view.addEventListener("tilefinished", ({ detail }) => {
      if (detail.tile.info.origin === "made") this.finished.push(performance.now());
      else this.stored = (this.stored || 0) + 1;
      this.#look();
    });
  }

  #look() {
    const pending = this.views().flatMap((view) => view.layer.pending());
    this.stage.setAttribute("aria-busy", pending.length > 0);
    if (!pending.length) {
      this.reset();
      this.stored = 0;
      this.#say("", 1);
      return;
    }
    if (this.began === null) {
      this.began = performance.now();
      this.patience = setTimeout(() => this.#ask(), PATIENCE);
      this.clock = setInterval(() => this.#ask(), 1000);
    }
    if (performance.now() - this.began < PATIENCE) return;
    const done = this.finished.length + (this.stored || 0);
    this.#say(this.#sentence(pending), done / (done + pending.length));
  }

  async #ask() {
    try {
      this.server = await (await fetch("api/status", { cache: "no-store" })).json();
    } catch {
      this.server = null;
    }
    if (this.began !== null) this.#look();
  }

  /** Seconds a tile takes: the pace of the last ones. Before there is one, what a window took of late at the server;
      a tile of an even zoom is the mean of four. */
  #pace(zoom) {
    const recent = this.finished.slice(-RECENT - 1);
    if (recent.length > 2) return (recent.at(-1) - recent[0]) / 1000 / (recent.length - 1);
    return (this.server?.tile_seconds || 0) * (zoom % 2 ? 1 : 4);
  }

  #sentence(pending) {
    const failed = pending.filter((tile) => tile.failed);
    if (failed.length === pending.length) return `${count(failed.length)} failed, trying again. ${failed[0].failed}`;
    // The first tile of an invented planet waits for the whole planet, a few seconds nobody can foresee.
    if (pending.every((tile) => tile.isBase && baseKind(tile.layer.source) === "invented")) return "Inventing this planet…";
    const seconds = Math.max(pending.length * this.#pace(pending[0].coords.z), this.server?.eta_seconds || 0);
    const trouble = failed.length ? ` · ${failed.length} failed, trying again` : "";
    return count(pending.length) + (seconds ? `, about ${duration(seconds)}` : "") + trouble;
  }

  #say(sentence, share) {
    this.text.textContent = sentence;
    this.line.hidden = !sentence;
    this.line.setAttribute("aria-valuenow", Math.round(100 * share));
    this.line.setAttribute("aria-valuetext", sentence || "all tiles are here");
    this.line.firstElementChild.style.transform = `scaleX(${Math.max(share, 0.02)})`;
  }
}

function count(n) {
  return n === 1 ? "1 tile" : `${n} tiles`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}
