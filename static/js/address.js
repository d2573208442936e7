/* Addresses: of the page, of a tile, of the next seed. Pure functions. */

/** Seeds and versions sit in the path of a tile, so that any client can use it. Relative: the page may live under a prefix. */
export function tilePath(source, z, x, y, ext) {
  return `tiles/${source.world}/${source.seed}@${source.version}/${z}/${x}/${y}.${ext}`;
}

/** The address of a view: world, seed (pinned with @version if it has one), zoom, centre, and what it is compared with. */
export function viewQuery(view) {
  const digits = Math.ceil(view.z * 0.3) + 1; // about a pixel
  const parts = [
    `world=${view.world}`,
    `seed=${view.seed}${view.version ? "@" + view.version : ""}`,
    `z=${view.z}`,
    `lat=${view.lat.toFixed(digits)}`,
    `lon=${view.lon.toFixed(digits)}`,
  ];
  if (view.compare) parts.push(`compare=${view.compare}`);
  if (view.compare && view.compare !== "four") parts.push(`with=${view.other.world}/${view.other.seed}`);
  return "?" + parts.join("&");
}

/** The seed after this one: 42 -> 43, pandora -> pandora-2 -> pandora-3. Always a valid seed of at most 64 characters. */
export function nextSeed(seed) {
  if (/^(0|[1-9][0-9]{0,18})$/.test(seed)) {
    const next = (BigInt(seed) + 1n).toString();
    return next.length > 19 ? "0" : next;
  }
  const [, stem, count] = /^(.*?)(?:-([1-9][0-9]{0,8}))?$/.exec(seed);
  const tail = "-" + (Number(count || 1) + 1);
  return stem.slice(0, 64 - tail.length) + tail;
}

export function validSeed(seed) {
  return /^[A-Za-z0-9_-]{1,64}$/.test(seed);
}

/** What somebody typed, made into a seed: "New Zealand" -> "New-Zealand". */
export function seedFrom(text) {
  return text.trim().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 64);
}
