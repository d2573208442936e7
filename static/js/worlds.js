/* The worlds: the picker with its thumbnails, and new ones from a picture that somebody drops on the page. */

import { tilePath } from "./address.js";
import { ask, notify, openSection } from "./panel.js";

export class Worlds {
  /** @param list as GET /api/worlds gives it; @param choose is called with the name of the world to show */
  constructor(list, choose) {
    this.byName = new Map(list.map((world) => [world.name, world]));
    this.choose = choose;
    this.ul = document.querySelector("#world-list");
    this.dialog = document.querySelector("#new-world");
    this.form = this.dialog.querySelector("form");
    this.#bindUpload();
  }

  get(name) {
    return this.byName.get(name);
  }

  names() {
    return [...this.byName.keys()];
  }

  thumbnail(name, seed) {
    return tilePath({ world: name, seed, version: this.get(name).versions[0] }, 0, 0, 0, "png");
  }

  /** Draw the picker: every world as it looks under the present seed. */
  render(current, seed) {
    this.ul.replaceChildren(...[...this.byName.values()].map((world) => this.#row(world, world.name === current, seed)));
  }

  #row(world, isCurrent, seed) {
    const row = document.querySelector("#world-row").content.firstElementChild.cloneNode(true);
    const pick = row.querySelector(".pick");
    pick.dataset.world = world.name;
    if (isCurrent) pick.setAttribute("aria-current", "true");
    row.querySelector("img").src = this.thumbnail(world.name, seed);
    row.querySelector("strong").textContent = world.title;
    row.querySelector("small").textContent = world.note || "";
    pick.addEventListener("click", () => this.choose(world.name));
    const remove = row.querySelector(".remove");
    remove.hidden = !world.removable;
    remove.setAttribute("aria-label", `Remove ${world.title}`);
    remove.addEventListener("click", () => this.#remove(world, remove));
    return row;
  }

  /** Removing takes two presses: the first asks. */
  async #remove(world, button) {
    if (!button.dataset.sure) {
      button.dataset.sure = "yes";
      button.textContent = "Remove?";
      setTimeout(() => { delete button.dataset.sure; button.textContent = "×"; }, 4000);
      return;
    }
    try {
      await ask(`api/worlds/${world.name}`, { method: "DELETE" });
    } catch (error) {
      notify(error.message);
      return;
    }
    this.byName.delete(world.name);
    notify(`${world.title} is gone.`);
    this.choose(null);
  }

  #bindUpload() {
    const input = document.querySelector("#picture");
    document.querySelector("#add-world").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files[0]) this.#offer(input.files[0]);
      input.value = "";
    });
    const dragging = (event) => event.dataTransfer?.types.includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!dragging(event)) return;
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) document.body.classList.remove("dropping");
    });
    document.addEventListener("drop", (event) => {
      document.body.classList.remove("dropping");
      if (!dragging(event)) return;
      event.preventDefault();
      this.#offer(event.dataTransfer.files[0]);
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#upload();
    });
    this.dialog.querySelector("[data-cancel]").addEventListener("click", () => this.dialog.close());
  }

  /** Show the picture and what will become of it, and ask for a name. */
  async #offer(file) {
    this.file = file;
    const title = file.name.replace(/\.[^.]*$/, "").replace(/[_-]+/g, " ").trim().slice(0, 60) || "My planet";
    this.form.title.value = title[0].toUpperCase() + title.slice(1);
    this.form.name.value = this.#freeName(title);
    this.form.querySelector("output").textContent = "";
    this.form.querySelector(".fate").textContent = await this.#preview(file);
    if (!this.dialog.open) this.dialog.showModal();
  }

  #freeName(title) {
    const stem = title.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 28) || "planet";
    let name = stem;
    for (let n = 2; this.byName.has(name); n += 1) name = `${stem}-${n}`;
    return name;
  }

  async #preview(file) {
    const canvas = this.form.querySelector("canvas");
    let picture;
    try {
      picture = await createImageBitmap(file, { resizeWidth: 2 * canvas.width, resizeQuality: "medium" });
    } catch {
      canvas.hidden = true;
      return "The browser cannot show this file; the server may still be able to read it.";
    }
    canvas.hidden = false;
    canvas.height = Math.round((canvas.width * picture.height) / picture.width);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const shape = picture.width / picture.height;
    picture.close();
    if (Math.abs(shape - 2) < 0.02) return "Twice as wide as high: it is wrapped around the whole planet.";
    return "Not twice as wide as high: it becomes a patch in the middle of a plain planet.";
  }

  async #upload() {
    const output = this.form.querySelector("output");
    const submit = this.form.querySelector("[type=submit]");
    const body = new FormData();
    body.append("name", this.form.name.value);
    body.append("title", this.form.title.value);
    body.append("file", this.file);
    output.textContent = "Sending the picture…";
    submit.disabled = true;
    try {
      const { world } = await ask("api/worlds", { method: "POST", body });
      this.byName.set(world.name, { attribution: world.note || "", removable: true, ...world });
      this.dialog.close();
      openSection(null);
      notify(`${world.title} is ready. ${world.note || ""}`);
      this.choose(world.name);
    } catch (error) {
      output.textContent = error.message;
    } finally {
      submit.disabled = false;
    }
  }
}
