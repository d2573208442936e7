/* Reading the map: where this is, how fine it is, and where the photograph ends and imagination begins. */

const L = window.L;
const METRES_PER_PIXEL = 156543.03392804097; // at zoom 0 on the equator
const DEEPEST = 15;

export function groundResolution(z, lat) {
  return (METRES_PER_PIXEL * Math.cos((lat * Math.PI) / 180)) / 2 ** z;
}

/** 4.8 m, 305 m, 9.8 km: three digits at most. */
export function metres(value) {
  const [number, unit] = value >= 1000 ? [value / 1000, "km"] : [value, "m"];
  return `${number >= 100 ? Math.round(number) : Number(number.toPrecision(2))} ${unit}`;
}

/** What a world's base is: the Earth is a photograph, people's own worlds are pictures, the seed invents the others. */
export function baseKind({ world, removable }) {
  return world === "earth" ? "photograph" : removable ? "picture" : "invented";
}

/** Where a zoom stands: still the base, or how many times finer than it. */
export function provenance(z, source) {
  const { baseZoom } = source;
  if (z <= baseZoom) return { imagined: false, label: baseKind(source) };
  const deep = Math.min(z, DEEPEST);
  return { imagined: true, label: z > DEEPEST ? "enlarged" : `imagined ×${2 ** (deep - baseZoom)}` };
}

/** The level of the cascade that a zoom is drawn from, named by its nominal metres per pixel at 33°: "64 m" is z11. */
export function cascadeLevel(z, baseZoom) {
  if (z <= baseZoom) return null;
  const level = Math.min(z % 2 ? z : z + 1, DEEPEST);
  return { zoom: level, name: metres(groundResolution(level, 33)) };
}

export class Reading {
  constructor(view, elements) {
    this.view = view;
    this.elements = elements; // {place, depth, level, origin, gauge, attribution}
    const { map } = view;
    L.control.scale({ imperial: false, maxWidth: 110 }).addTo(map);
    document.querySelector("#scale").append(map.getContainer().querySelector(".leaflet-control-scale"));
    map.on("move zoomend", () => this.place(map.getCenter()));
    map.on("zoomend", () => this.refresh());
    map.on("mousemove", (event) => this.place(event.latlng));
    map.on("mouseout", () => this.place(map.getCenter()));
    elements.gauge.addEventListener("input", () => map.setZoom(Number(elements.gauge.value)));
  }

  place(at) {
    const { lat, lng } = at.wrap();
    const digits = this.view.map.getZoom() > 10 ? 4 : 2;
    const side = (value, plus, minus) => `${Math.abs(value).toFixed(digits)}° ${value < 0 ? minus : plus}`;
    this.elements.place.textContent = `${side(lat, "N", "S")}  ${side(lng, "E", "W")}`;
  }

  refresh() {
    const { map, source } = this.view;
    const z = map.getZoom();
    const { gauge, depth, level, origin, attribution } = this.elements;
    const fine = metres(groundResolution(z, map.getCenter().lat));
    const { imagined, label } = provenance(z, source);
    const step = cascadeLevel(z, source.baseZoom);
    depth.textContent = `zoom ${z} · ${fine} per pixel`;
    level.textContent = step ? `level ${step.name}` : "";
    level.title = step ? `Drawn by the step of the cascade that makes zoom ${step.zoom}` : "";
    origin.textContent = label;
    origin.dataset.imagined = imagined;
    const base = { photograph: "The photograph", picture: "The picture", invented: "The planet that the seed invents" }[baseKind(source)];
    origin.title = `${base} ends at zoom ${source.baseZoom}. Everything finer is imagined by a neural network.`;
    gauge.parentElement.querySelector(".photograph").textContent = baseKind(source);
    gauge.value = z;
    gauge.setAttribute("aria-valuetext", `zoom ${z}, ${fine} per pixel, ${label}`);
    const share = (source.baseZoom + 0.5 - gauge.min) / (gauge.max - gauge.min);
    gauge.parentElement.style.setProperty("--base", `${(100 * share).toFixed(1)}%`);
    attribution.textContent = source.attribution;
    this.place(map.getCenter());
  }
}
