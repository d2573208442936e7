"""Section 1. Single level: pictures from real conditions, held against real ones by KID and FID."""

import numpy as np
import torch

from model import noise
from model.checkpoint import Checkpoint
from model.evaluation.context import Context
from model.evaluation.distance import Distance, difference, fid, floor, kid
from model.evaluation.drawing import bicubic, draw, shrink
from model.evaluation.inception import Inception
from model.evaluation.scattering import Reduction, Scattering, crops_of, groups
from model.evaluation.scenes import NAMES, OWN, TOLD, by_level, case, region
from model.network import SCALE
from model.schedule import timesteps
from model.training.imagery import AROUND, LEVELS, Patch

BATCH = 32  # crops at once
SEED, STRIDE = 11, 512  # of the noise, parcels and cover, and how many pixels apart two pictures take theirs
LEAST = 6  # patches below which no distance is given
REGIONAL = ("4892", "1223", "611x", "305")


def noise_of(index: int, size: int = 256) -> np.ndarray:
    """The noise of validation picture `index`: float32 ``(3, size, size)``."""
    return noise.field(SEED, 15, STRIDE * index, 0, STRIDE * index + size, size)


def ruled_of(checkpoint: Checkpoint, index: int, zoom: int, size: int = 256) -> np.ndarray | None:
    """Its parcels and cover, if it is a picture of that zoom, as the network is shown them: ``(C, size, size)``."""
    return checkpoint.network.ruled(SEED, zoom, STRIDE * index, 0, STRIDE * index + size, size)


def drawn(
    context: Context, name: str, checkpoint: Checkpoint, patches: list[Patch], times=None, own: bool = False,
    told: bool = False,
) -> dict[str, np.ndarray]:
    """Pictures by patch id. Kept in the context, so that the sheets and other sections need not draw again.

    `own`: of conditions of the network's own making, treated as the sampler does; `told`: so are real ones, which are
    exact.
    """
    name += OWN * own + TOLD * told
    rows = context.rows.setdefault(name, {})
    order = {p.id: n for n, p in enumerate(context.patches)}
    for patch in context.bar([p for p in patches if p.id not in rows], f"single level, {name}", unit="patch"):
        number = order[patch.id]
        condition = own_condition(checkpoint, patch, number, number + len(order)) if own else case(patch).condition
        rows[patch.id] = draw(checkpoint, condition, patch.m_per_px, noise_of(number), times,
                              LEVELS[patch.level] if own or told else None,
                              ruled_of(checkpoint, number, LEVELS[patch.level]))
    return rows


def own_condition(checkpoint: Checkpoint, patch: Patch, number: int, other: int) -> np.ndarray:
    """What the network itself makes of the patch's 16×16 means, uint8 ``(64, 64, 3)``: in the cascade it sees no other.

    With what lies around mirrored, so that no edge is seen; with the noise of another number, and the parcels that
    those of picture `number` lie in.
    """
    coarser = np.pad(shrink(shrink(patch.pixels)), ((AROUND, AROUND), (AROUND, AROUND), (0, 0)), "reflect")
    size = SCALE * len(coarser)
    x, y = STRIDE * number // SCALE - SCALE * AROUND, -SCALE * AROUND
    ruled = checkpoint.network.ruled(SEED, LEVELS[patch.level] - 2, x, y, x + size, y + size)
    made = draw(checkpoint, coarser, SCALE * patch.m_per_px, noise_of(other, size), ruled=ruled)
    return made[SCALE * AROUND:-SCALE * AROUND, SCALE * AROUND:-SCALE * AROUND]


class Judge:
    """Scattering features of one level, reduced on its own real pictures."""

    def __init__(self, context: Context, patches: list[Patch], scattering: Scattering, label: str):
        self.context, self.patches, self.scattering, self.label = context, patches, scattering, label
        self.raw = {p.id: self._features(p.pixels) for p in context.bar(patches, f"features, {label}", unit="patch")}
        self.reduce = Reduction(torch.cat(list(self.raw.values())))
        self.real = {name: self.reduce(value) for name, value in self.raw.items()}

    def _features(self, pixels) -> torch.Tensor:
        return torch.cat([self.scattering(part) for part in crops_of(pixels).split(BATCH)])

    def unreduced(self, pictures: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        mine = {p.id: pictures[p.id] for p in self.patches if p.id in pictures}
        return {
            name: self._features(pixels)
            for name, pixels in self.context.bar(mine.items(), f"features, {self.label}", unit="patch")
        }

    def reduced(self, unreduced: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: self.reduce(value) for name, value in unreduced.items()}

    def features(self, pictures: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return self.reduced(self.unreduced(pictures))

    def off(self, unreduced: dict[str, torch.Tensor]) -> dict[str, float]:
        """By how many deviations of real crops the mean of each group of features is off theirs."""
        made, real = (torch.cat([of[name] for name in unreduced]) for of in (unreduced, self.raw))
        away = (made.mean(0) - real.mean(0)) / (real.std(0) + 1e-3)
        return {name: float(away[indices].mean()) for name, indices in groups().items()}

    def distance(self, features: dict[str, torch.Tensor], among: set[str] | None = None) -> Distance | None:
        chosen = [p for p in self.patches if p.id in features and (among is None or p.id in among)]
        if len(chosen) < LEAST:
            return None
        return kid([self.real[p.id] for p in chosen], [features[p.id] for p in chosen], [p.scene for p in chosen])

    def frechet(self, features: dict[str, torch.Tensor]) -> float | None:
        if len(features) < LEAST:
            return None
        return fid(torch.cat([self.real[i] for i in features]), torch.cat(list(features.values())))


def run(context: Context) -> dict:
    """JSON of the section: KID by level and row, differences, regions, FID."""
    scattering = Scattering()
    levels = by_level(context.patches, context.budget.single)
    everything = [p for members in levels.values() for p in members]
    rows = {
        "bicubic": {p.id: bicubic(case(p).condition) for p in everything},
        "student": drawn(context, "student", context.student, everything),
        "student" + TOLD: drawn(context, "student", context.student, everything, told=True),
        "student" + OWN: drawn(context, "student", context.student, everything, own=True),
    }
    for name, checkpoint in context.others.items():
        teacher = name == "teacher"
        count = context.budget.teacher if teacher else context.budget.ablations
        few = [p for members in levels.values() for p in members[:count]]
        rows[name] = drawn(context, name, checkpoint, few, timesteps(50) if teacher else None)
        if name.startswith("with"):
            rows[name + OWN] = drawn(context, name, checkpoint, few, own=True)
    result = {"levels": {}, "regions": {}, "rows": list(rows)}
    for level, members in levels.items():
        judge = Judge(context, members, scattering, NAMES[level])
        unreduced = {name: judge.unreduced(pictures) for name, pictures in rows.items()}
        features = {name: judge.reduced(values) for name, values in unreduced.items()}
        result["levels"][level] = _level(judge, features) | {"off": judge.off(unreduced["student"])}
        if level in REGIONAL:
            result["regions"][level] = _regions(judge, features)
    if context.inception is not None:
        result["inception"] = _inception(context, rows, everything)
    return result


def _level(judge: Judge, features: dict) -> dict:
    found = {
        "patches": len(judge.patches),
        "scenes": len({p.scene for p in judge.patches}),
        "kid": {},
        "fid": {},
        "differences": {},
    }
    if len(judge.patches) >= 2 * LEAST:
        found["kid"]["real"] = floor([judge.real[p.id] for p in judge.patches]).as_dict()
    for name, mine in features.items():
        distance = judge.distance(mine)
        found["kid"][name] = distance.as_dict() | {"patches": len(mine)} if distance else None
        found["fid"][name] = judge.frechet(mine)
        reference = held_against(name, features)
        if reference:
            common = set(mine) & set(features[reference])
            pair = judge.distance(features[reference], common), judge.distance(mine, common)
            if all(pair):
                value, spread = difference(*pair)
                found["differences"][name] = {"of": reference, "minus this": value, "spread": spread}
    return found


def held_against(name: str, rows) -> str | None:
    """The row whose distance a row's is compared with: an ablation's twin of the same training budget, if there is one;
    or, from real conditions, the student."""
    own = OWN * name.endswith(OWN)
    if name.startswith("without") and "with both" + own in rows:
        return "with both" + own
    return None if own or name in ("bicubic", "student", "student" + TOLD) else "student"


def _regions(judge: Judge, features: dict) -> dict:
    found = {}
    for name in sorted({n for p in judge.patches for n in region(p)}):
        among = {p.id for p in judge.patches if name in region(p)}
        distances = {row: judge.distance(features[row], among) for row in ("bicubic", "student")}
        if all(distances.values()):
            found[name] = {"patches": len(among)} | {row: d.as_dict() for row, d in distances.items()}
    return found


def _inception(context: Context, rows: dict, patches: list[Patch]) -> dict:
    """FID and KID on whole pictures, all levels together, by torchmetrics."""
    from model.evaluation.distance import plain_kid

    network = Inception(context.inception)

    def features(pictures):
        return torch.cat(
            [
                network(torch.from_numpy(np.ascontiguousarray(p)).permute(2, 0, 1)[None])
                for p in context.bar(pictures, "Inception", unit="picture")
            ]
        )

    real = {p.id: p.pixels for p in patches}
    found = {}
    for name, pictures in rows.items():
        ids = [i for i in real if i in pictures]
        a, b = features([real[i] for i in ids]), features([pictures[i] for i in ids])
        found[name] = {"fid": fid(a, b), "kid": plain_kid(a, b, len(ids)), "pictures": len(ids)}
    return found
