"""`python -m tests.model.golden`: add the newest version's golden pixels; versions already there are left alone.

`--here` adds the digests that this kind of processor has of every tile, where they are not there. `--compare` writes
nothing and says how the pixels of this machine differ from those that were kept, on whatever processor that was: of a
whole tile whether all bytes are the same, of its middle row how many pixels and by how much; `--compare cuda` of a GPU.
"""

import hashlib
import json
import sys

import numpy as np

from model.generator import Generator
from model.worlds import Worlds
from tests.model.test_shipped import FIELDS, GOLDEN, PLACES, TOWNS, golden_pixels, processor


def compare(device="cpu"):
    generator, same, differ, worst, rows = Generator(Worlds(), device=device, threads=2), 0, 0, 0, 0
    for version, tiles in json.loads(GOLDEN.read_text()).items():
        for name, golden in tiles.items():
            pixels = golden_pixels(generator, version, name)
            away = np.abs(pixels[128].astype(int) - np.array(golden["row"])).max(-1)
            equal = hashlib.sha256(pixels.tobytes()).hexdigest() == golden["sha256"]
            print(f"{version} {name}: {'the same' if equal else 'not all the same'}, "
                  f"{np.count_nonzero(away)} of {len(away)} pixels of its middle row differ, by {away.max()} at most")
            same, differ, worst, rows = same + equal, differ + np.count_nonzero(away), max(worst, away.max()), rows + 1
    print(f"{same} of {rows} tiles are the same to the byte; {differ} of {256 * rows} pixels of their middle rows "
          f"differ, by {worst} at most")


def here():
    known, generator, kind = json.loads(GOLDEN.read_text()), Generator(Worlds(), threads=2), processor()
    for version, tiles in known.items():
        for name, golden in tiles.items():
            if kind not in golden.setdefault("on", {}):
                pixels = golden_pixels(generator, version, name)
                golden["on"][kind] = hashlib.sha256(pixels.tobytes()).hexdigest()
                print(f"{version} {name}: {golden['on'][kind]} on {kind}", flush=True)
    GOLDEN.write_text(json.dumps(known) + "\n")


def main():
    known = json.loads(GOLDEN.read_text()) if GOLDEN.is_file() else {}
    generator = Generator(Worlds(), threads=2)
    newest = generator.versions("earth")[0]
    if newest in known:
        raise SystemExit(f"{newest} is already there")
    known[newest] = {}
    for z, x, y in [(3, 4, 2), PLACES[0], PLACES[2], PLACES[4], TOWNS[0], FIELDS[1]]:
        pixels = generator.pixels(generator.address("earth", 0, z, x, y))
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        known[newest][f"{z}/{x}/{y}"] = {"sha256": digest, "row": pixels[128].tolist(), "on": {processor(): digest}}
    GOLDEN.write_text(json.dumps(known) + "\n")


if __name__ == "__main__":
    compare(*sys.argv[2:]) if "--compare" in sys.argv[:2] else here() if "--here" in sys.argv else main()
