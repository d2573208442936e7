/* The page: what is shown (world, seed, place, comparison) lives here, and every control changes it through show(). */

import { nextSeed, seedFrom, validSeed, viewQuery } from "./address.js";
import { Compare, confine } from "./compare.js";
import { TileGrid } from "./grid.js";
import { bindKeys } from "./keys.js";
import { closeSection, notify, openedSection, openSection, toggleSection } from "./panel.js";
import { Places } from "./places.js";
import { Progress } from "./progress.js";
import { Reading } from "./reading.js";
import { copyLink, downloadView, gisAddress, pinnedLink } from "./share.js";
import { View } from "./view.js";
import { Worlds } from "./worlds.js";

const $ = (selector) => document.querySelector(selector);
const start = JSON.parse($("#start").textContent);
const map = window[$(".folium-map").id]; // folium's script made it
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

const { view } = start;
const state = {
  world: view.world,
  seed: view.seed,
  version: view.version, // null: the newest
  compare: view.compare,
  other: { world: view.other_world || view.world, seed: view.other_seed || nextSeed(view.seed) },
};

const worlds = new Worlds(start.worlds, (name) => show(name ? { world: name, version: null } : { world: worlds.names()[0], version: null }));
const main = new View(map);
const progress = new Progress($("#stage"), $("#waiting"), $("#progress"), () => compare.views);
const compare = new Compare($("#stage"), main, {
  sourceOf,
  onView: (twin) => progress.watch(twin),
  onPick: ({ world, seed }) => show({ world, seed }),
});
const reading = new Reading(main, {
  place: $("#place"), depth: $("#depth"), level: $("#level"), origin: $("#origin"), gauge: $("#gauge"), attribution: $("#credit"),
});
const grid = new TileGrid(main);
const places = new Places(() => state, ({ lat, lon, z }) => fly(lat, lon, z));

/** A source as the layers need it: the version is always named, so that a tile never changes under its address. */
function sourceOf({ world, seed, version }) {
  const { title, attribution, base_zoom: baseZoom, versions, removable } = worlds.get(world);
  return { world, seed, version: version || versions[0], title, attribution, baseZoom, removable };
}

function currentView() {
  const { lat, lng } = map.getCenter().wrap();
  return { ...state, z: map.getZoom(), lat, lon: lng };
}

function keepAddress() {
  history.replaceState(null, "", viewQuery(currentView()));
}

/** Change what is shown. */
function show(change = {}) {
  Object.assign(state, change);
  if (!worlds.get(state.other.world)) state.other.world = state.world;
  const source = sourceOf(state);
  main.show(source);
  compare.set(state.compare, state.other);
  reading.refresh();
  if (map.hasLayer(grid)) grid.redraw();
  $("#seed").value = state.seed;
  $("#world-title").textContent = source.title;
  $("#world-thumb").src = worlds.thumbnail(state.world, state.seed);
  $("#gis").href = gisAddress(source);
  $("#pinned").hidden = !state.version;
  document.title = `${source.title} · ${state.seed} · Elsewhere`;
  drawComparison();
  if (openedSection() === "worlds") worlds.render(state.world, state.seed);
  keepAddress();
}

function drawComparison() {
  for (const button of document.querySelectorAll("#compare [data-mode]")) {
    button.setAttribute("aria-pressed", button.dataset.mode === (state.compare || "off"));
  }
  $("#against").hidden = !state.compare || state.compare === "four";
  $("#blinking").hidden = state.compare !== "blink";
  $("#blink-play").textContent = compare.blinking ? "Pause" : "Play";
  $("#other-seed").value = state.other.seed;
  $("#other-world").replaceChildren(...worlds.names().map((name) => new Option(worlds.get(name).title, name, false, name === state.other.world)));
}

function fly(lat, lon, z) {
  compare.lead();
  map.setView([lat, lon], z, stillness.matches ? { animate: false } : {}); // Leaflet animates what is near, and only that
}

function anotherWorld() {
  show({ seed: nextSeed(state.seed), other: state.compare ? { ...state.other, seed: nextSeed(state.other.seed) } : state.other });
}

function setSeed(input, change) {
  const seed = seedFrom(input.value);
  if (validSeed(seed)) show(change(seed));
  else input.value = input.defaultValue;
}

function toggleGrid() {
  if (map.hasLayer(grid)) grid.remove();
  else grid.addTo(map);
  $("#grid").setAttribute("aria-pressed", map.hasLayer(grid));
}

function setCompare(mode) {
  const other = state.other.world === state.world && state.other.seed === state.seed ? { world: state.world, seed: nextSeed(state.seed) } : state.other;
  show({ compare: mode === "off" ? null : mode, other });
}

function link() {
  return pinnedLink(currentView(), main.source);
}

/* Controls */
$("#another").addEventListener("click", anotherWorld);
$("#seed").addEventListener("change", () => setSeed($("#seed"), (seed) => ({ seed })));
$("#seed").addEventListener("focus", () => $("#seed").select());
$("#seed-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setSeed($("#seed"), (seed) => ({ seed }));
});
$("#other-seed").addEventListener("change", () => setSeed($("#other-seed"), (seed) => ({ other: { ...state.other, seed } })));
$("#other-world").addEventListener("change", () => show({ other: { ...state.other, world: $("#other-world").value } }));
for (const button of document.querySelectorAll("#compare [data-mode]")) {
  button.addEventListener("click", () => setCompare(button.dataset.mode));
}
$("#blink-now").addEventListener("click", () => compare.blink());
$("#blink-play").addEventListener("click", () => {
  if (compare.blinking) compare.pause();
  else compare.play();
  drawComparison();
});
$("#zoom-in").addEventListener("click", () => map.zoomIn());
$("#zoom-out").addEventListener("click", () => map.zoomOut());
$("#grid").addEventListener("click", toggleGrid);
$("#copy").addEventListener("click", () => copyLink(link()));
$("#download").addEventListener("click", () => downloadView(main, link()));
$("#show-keys").addEventListener("click", () => $("#keys").showModal());
$("#panel").addEventListener("section", ({ detail }) => {
  if (detail === "worlds") worlds.render(state.world, state.seed);
  if (detail === "places" && !$("#reason").textContent) places.visit();
});

bindKeys({
  n: anotherWorld,
  i: () => { openSection("places"); places.visit(); },
  w: () => toggleSection("worlds"),
  c: () => toggleSection("compare"),
  s: () => toggleSection("share"),
  g: toggleGrid,
  l: () => copyLink(link()),
  d: () => downloadView(main, link()),
  b: () => state.compare === "blink" && compare.blink(),
  "/": () => $("#seed").focus(),
  "?": () => $("#keys").showModal(),
  Escape: () => {
    if (document.activeElement.matches("input")) document.activeElement.blur();
    else closeSection();
  },
}, map);

/* Begin */
confine(map);
map.getContainer().setAttribute("role", "region");
progress.watch(main);
main.addEventListener("tilefinished", () => performance.mark("first-picture"), { once: true });
map.on("moveend", keepAddress);
show();
for (const notice of start.notices) notify(notice, { lasting: true });
