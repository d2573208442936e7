/* Somewhere interesting: the server searches the coarse levels of this world, and says why it chose the place. */

import { ask } from "./panel.js";

export class Places {
  /** @param go is called with {lat, lon, z} */
  constructor(current, go) {
    this.current = current; // () -> {world, seed}
    this.go = go;
    this.visited = new Map(); // world/seed/kind -> how many we have been to
    this.reason = document.querySelector("#reason");
    for (const button of document.querySelectorAll("#places [data-kind]")) {
      button.addEventListener("click", () => this.visit(button.dataset.kind));
    }
  }

  async visit(kind = "any") {
    const { world, seed } = this.current();
    const key = `${world}/${seed}/${kind}`;
    const n = this.visited.get(key) || 0;
    const visit = (this.latest = Symbol(kind)); // of two presses the later counts
    this.reason.textContent = "Searching…";
    delete this.reason.dataset.kind;
    try {
      const place = await ask(`api/interesting?world=${world}&seed=${seed}&kind=${kind}&n=${n}`);
      this.visited.set(key, n + 1);
      if (visit !== this.latest) return;
      this.reason.textContent = place.reason;
      this.reason.dataset.kind = place.kind;
      this.go(place);
    } catch (error) {
      if (visit === this.latest) this.reason.textContent = error.message;
    }
  }
}
