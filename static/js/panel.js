/* The panel's sections (one open at a time), notices, and dialogs. */

const panel = document.querySelector("#panel");
const notices = document.querySelector("#notices");

/** Open one section of the panel, or none. Its button says so to screen readers. */
export function openSection(name) {
  for (const button of panel.querySelectorAll("[data-opens]")) {
    const open = button.dataset.opens === name;
    button.setAttribute("aria-expanded", open);
    document.querySelector(`#${button.dataset.opens}`).hidden = !open;
  }
  panel.dispatchEvent(new CustomEvent("section", { detail: name }));
}

export function openedSection() {
  return panel.querySelector('[data-opens][aria-expanded="true"]')?.dataset.opens || null;
}

/** Close what is open and give the focus back to its button. */
export function closeSection() {
  const button = panel.querySelector(`[data-opens="${openedSection()}"]`);
  openSection(null);
  button?.focus();
}

export function toggleSection(name) {
  openSection(openedSection() === name ? null : name);
}

for (const button of panel.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => toggleSection(button.dataset.opens));
}

/** Say something that matters for a while. Screen readers hear it; a person can close it. */
export function notify(text, { lasting = false } = {}) {
  const notice = document.createElement("div");
  notice.className = "notice";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain";
  close.setAttribute("aria-label", "Close this notice");
  close.textContent = "×";
  close.addEventListener("click", () => notice.remove());
  const words = document.createElement("p");
  words.textContent = text;
  notice.append(words, close);
  notices.append(notice);
  while (notices.children.length > 3) notices.firstChild.remove();
  if (!lasting) setTimeout(() => notice.remove(), 6000);
}

/** Ask the server; its refusals become errors with its own words. */
export async function ask(path, options) {
  const response = await fetch(path, options);
  const body = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error?.message || `The server answered ${response.status}.`);
  return body;
}
