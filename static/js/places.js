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
    this.reason.textContent = "Searching…";
    try {
      const place = await ask(`api/interesting?world=${world}&seed=${seed}&kind=${kind}&n=${n}`);
      this.visited.set(key, n + 1);
      this.reason.textContent = place.reason;
      this.go(place);
    } catch (error) {
      this.reason.textContent = error.message;
    }
  }
}
