/* Taking a view along: a pinned link, a connection for GIS programs, a georeferenced picture. */

import { viewQuery } from "./address.js";
import { notify } from "./panel.js";
import { zip } from "./zip.js";

const HALF_WORLD = 20037508.342789244; // metres, EPSG:3857

/** The link that will show this very picture as long as the server keeps the version. */
export function pinnedLink(view, source) {
  return new URL(viewQuery({ ...view, version: source.version }), document.baseURI).href;
}

export async function copyLink(link) {
  try {
    await navigator.clipboard.writeText(link);
    notify("Link copied. It is pinned to this version: the picture will stay as it is.");
  } catch {
    notify(`Copy this link: ${link}`, { lasting: true });
  }
}

export function gisAddress(source) {
  return `use/${source.world}/${source.seed}@${source.version}`;
}

/** Waits for the view, then saves a zip with the picture, its world file, its coordinate system and a note on what it is. */
export async function downloadView(view, link) {
  if (!view.settled) notify("The picture is saved as soon as every tile is here.");
  const layer = await view.whenSettled();
  const { source } = layer;
  const { canvas, zoom, left, top } = layer.snapshot();
  const png = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const pixel = (2 * HALF_WORLD) / (256 * 2 ** zoom);
  const west = -HALF_WORLD + left * pixel;
  const north = HALF_WORLD - top * pixel;
  const name = `elsewhere-${source.world}-${source.seed}-z${zoom}`;
  const archive = zip({
    [`${name}.png`]: new Uint8Array(await png.arrayBuffer()),
    [`${name}.pgw`]: [pixel, 0, 0, -pixel, west + pixel / 2, north - pixel / 2].join("\n") + "\n",
    [`${name}.png.aux.xml`]:
      `<PAMDataset><SRS>EPSG:3857</SRS><GeoTransform>${[west, pixel, 0, north, 0, -pixel].join(", ")}</GeoTransform></PAMDataset>\n`,
    "README.txt":
      `This is a synthetic picture, not a survey: a place that does not exist.\n\n${link}\n` +
      `World ${source.world}, seed ${source.seed}, version ${source.version}, zoom ${zoom}, EPSG:3857.\n${source.attribution}\n`,
  });
  save(archive, `${name}.zip`);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
