"""Checkpoints that are published: `config.json`, readable, beside `model.safetensors`; named by their digest.

`model/weights/<digest>/` holds every version that was ever the default; `model/weights/latest` names the newest.
`discriminator.safetensors`, if it is there, is the opponent that the network was distilled against: no pixel depends on
it, but a distillation that goes on from these weights has its adversary from the first step.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.errors import BadCheckpoint
from model.grid import MAX_ZOOM
from model.network import Network, NetworkConfig
from model.residual import Whitening
from model.schedule import STEPS
from model.underlay import Dials

FORMAT = 1
WEIGHTS = Path(__file__).parent / "weights"
OPPONENT = "discriminator.safetensors"


@dataclass(frozen=True)
class SamplerConfig:
    """How a network is asked: part of what decides the pixels."""

    times: tuple[int, ...] = (999, 749, 499, 249)  # DDIM timesteps, falling
    degradation: float = 0.0                        # what the network is told of its condition, 0…1
    degradations: dict[str, float] = field(default_factory=dict)  # ... where a level, "9", is told something else
    halo: int = 32                                  # pixels around the 256 px core that are computed and dropped
    projections: dict[str, float] = field(default_factory=dict)  # share of what its 4×4 means are off that is taken out
    sharpenings: dict[str, float] = field(default_factory=dict)  # by how much the condition is, before it is enlarged
    calmings: dict[str, float] = field(default_factory=dict)     # ... and by how much it is smoothed where it is calm
    shades: dict[str, float] = field(default_factory=dict)       # ... and how light and dark gullies in its snow are
    gentle: dict[str, float] = field(default_factory=dict)       # how much fainter gullies are where the base is plain
    paints: dict[str, float] = field(default_factory=dict)       # ... and how light or green its fields and woods are
    slopes: dict[str, float] = field(default_factory=dict)       # likewise gullies on other mountains than snow's
    towns: dict[str, float] = field(default_factory=dict)        # share of a town's colour that is laid over its ground
    gains: dict[str, float] = field(default_factory=dict)        # by how much stronger lively detail is
    hushes: dict[str, float] = field(default_factory=dict)       # ... and by how much weaker in woods of plains, ...
    snows: dict[str, float] = field(default_factory=dict)        # ... and on snow of mountains
    dunes: dict[str, float] = field(default_factory=dict)        # how light and dark dunes are on sand of plains, ...
    crowns: dict[str, float] = field(default_factory=dict)       # ... and trees in woods, ...
    rocks: dict[str, float] = field(default_factory=dict)        # ... and rocks on bare mountains, ...
    faces: dict[str, float] = field(default_factory=dict)        # ... and the faces of those under snow
    crags: dict[str, float] = field(default_factory=dict)        # ... and their ridges, and how much rock stands out
    rivers: dict[str, float] = field(default_factory=dict)       # share of water's colour that is laid over rivers
    shores: dict[str, float] = field(default_factory=dict)       # how crisp shores are
    rows: bool = False                              # told every row's ground resolution, not the window's middle's
    supports: bool = False                          # a level stands on supports of the one above, not on its tiles

    def __post_init__(self):
        if not self.times or list(self.times) != sorted(set(self.times), reverse=True) or not all(
                0 <= t < STEPS for t in self.times):
            raise ValueError(f"times must fall strictly within 0…{STEPS - 1}, not {self.times}")
        given = {("degradation told", "every level"): self.degradation}
        for what, known in (("degradation told", self.degradations), ("projection", self.projections),
                            ("sharpening", self.sharpenings), ("calming", self.calmings), ("shade", self.shades),
                            ("paint", self.paints), ("gentleness", self.gentle),
                            ("light on slopes", self.slopes), ("town", self.towns), ("gain", self.gains),
                            ("hush", self.hushes), ("calm of snow", self.snows), ("light on dunes", self.dunes),
                            ("light on crowns", self.crowns), ("light on rocks", self.rocks),
                            ("light on faces", self.faces), ("light on crags", self.crags),
                            ("river", self.rivers), ("crispness of shores", self.shores)):
            if unknown := [level for level in known if level not in map(str, range(1, MAX_ZOOM + 1, 2))]:
                raise ValueError(f"there is a {what} at the odd levels to {MAX_ZOOM}, not at {unknown}")
            given |= {(what, level): value for level, value in known.items()}
        for (what, level), value in given.items():
            if not 0 <= value <= 1:
                raise ValueError(f"the {what} at {level} must lie in 0…1, not {value}")

    def told(self, level: int) -> float:
        """The degradation that the network is told of its condition at a level."""
        return self.degradations.get(str(level), self.degradation)

    def gentleness(self, level: int) -> float:
        """By how much the gullies that the network is shown at a level are fainter where the base is plain."""
        return self.gentle.get(str(level), 0.0)

    def dials(self, level: int) -> Dials:
        """What is done at a level to what a picture is made of."""
        return Dials(*(of.get(str(level), 0.0) for of in (self.sharpenings, self.calmings, self.shades, self.slopes,
                                                          self.projections, self.paints, self.towns, self.gains,
                                                          self.hushes, self.snows, self.dunes, self.crowns,
                                                          self.rocks, self.faces, self.crags, self.rivers,
                                                          self.shores)))


@dataclass(frozen=True)
class Checkpoint:
    """A loaded version: network in evaluation mode (float32, channels last), how to sample, what it is called."""

    network: Network
    whitening: Whitening
    sampler: SamplerConfig
    digest: str
    about: dict


def save(folder: Path, network: Network, whitening: Whitening, sampler: SamplerConfig, about: dict,
         opponent: dict[str, torch.Tensor] | None = None) -> str:
    """Write config.json and model.safetensors (half precision) into `folder`, each atomically; returns the digest.

    `opponent`: a discriminator's weights, kept beside them likewise."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"format": FORMAT, "network": network.config.as_dict(), "whitening": whitening.table,
              "sampler": asdict(sampler), "about": about}
    for name, state in (("model.safetensors", network.state_dict()), (OPPONENT, opponent)):
        if state is None:
            (folder / name).unlink(missing_ok=True)  # of another network that was saved here
            continue
        temporary = folder / f"{name}.new"
        save_file({k: v.half().contiguous() for k, v in state.items()}, temporary)
        os.replace(temporary, folder / name)
    temporary = folder / "config.json.new"
    temporary.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    os.replace(temporary, folder / "config.json")
    return digest(folder)


def digest(folder: Path) -> str:
    """12 hex digits over what decides the pixels: weights, network, whitening, sampler (not `about`)."""
    config = _read_config(Path(folder))
    decisive = {k: config[k] for k in ("format", "network", "whitening", "sampler")}
    h = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode())
    try:
        h.update((Path(folder) / "model.safetensors").read_bytes())
    except OSError as error:
        raise BadCheckpoint(f"checkpoint {folder} has no readable model.safetensors: {error}") from None
    return h.hexdigest()[:12]


def _read_config(folder: Path) -> dict:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadCheckpoint(f"checkpoint {folder} has no readable config.json: {error}") from None
    if config.get("format") != FORMAT:
        raise BadCheckpoint(f"{path} is of format {config.get('format')!r}; this program reads {FORMAT}")
    missing = {"network", "whitening", "sampler", "about"} - config.keys()
    if missing:
        raise BadCheckpoint(f"{path} lacks {', '.join(sorted(missing))}")
    return config


def load(folder: Path, device: str = "cpu") -> Checkpoint:
    """Load a checkpoint; raises `BadCheckpoint` if it is truncated, mismatched or of an unknown format."""
    folder = Path(folder)
    config = _read_config(folder)
    try:
        network = Network(NetworkConfig.from_dict(config["network"]))
        whitening = Whitening(config["whitening"])
        # Until explorer-28 there was a flag to take all of it out at every level, which no published version had.
        known = {k: v for k, v in config["sampler"].items() if k != "project" or v}
        sampler = SamplerConfig(**{**known, "times": tuple(known["times"])})
        if not network.config.white and len(sampler.times) > 1:
            raise ValueError(f"it does not see x_t and is asked more than once, at {sampler.times}")
        rugged = sampler.snows or sampler.rocks or sampler.faces or sampler.crags
        if (rugged or sampler.hushes or sampler.dunes or sampler.rivers) and not network.config.plains:
            raise ValueError("woods of plains or snow of mountains are to be fainter, plains to have dunes or rivers, "
                             "or mountains rocks, faces or crags, and it is not shown which are")
        if (sampler.shades or sampler.gentle) and not (network.config.gullies and network.config.plains):
            raise ValueError("gullies are to be shaded or fainter as the base is rugged or plain, and it is not shown "
                             "both")
        if (sampler.crowns or sampler.shores) and not network.config.shown:
            raise ValueError("woods are to have crowns, or shores to be crisp, besides what it is shown, and it is "
                             "shown nothing")
        if sampler.paints and not (network.config.parcels and network.config.cover):
            raise ValueError("fields and woods are to be painted, and it is not shown both")
    except (TypeError, ValueError, KeyError) as error:
        raise BadCheckpoint(f"{folder}/config.json does not describe a network: {error}") from None
    state = _read_tensors(folder / "model.safetensors")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise BadCheckpoint(f"{folder}/model.safetensors does not fit its config.json: {error}") from None
    network = network.eval().requires_grad_(False).to(torch.device(device), memory_format=torch.channels_last)
    return Checkpoint(network, whitening, sampler, digest(folder), config["about"])


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return {k: v.float() for k, v in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(f"{path} is truncated or unreadable: {error}") from None


def read_state(path: Path) -> dict:
    """A training's state.pt; or of a checkpoint's folder as much of one as it holds, and its `about`.

    Raises `BadCheckpoint`.
    """
    path = Path(path)
    if path.is_dir():
        found = load(path)
        state = {"average": found.network.state_dict(), "network_config": found.network.config.as_dict(),
                 "whitening": found.whitening.table, "step": found.about.get("step"), "about": found.about}
        opponent = path / OPPONENT
        return state | ({"discriminator": _read_tensors(opponent)} if opponent.is_file() else {})
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a truncated file
        raise BadCheckpoint(f"{path} is neither a training's state, as of a teacher, nor a checkpoint's folder: {error}"
                            ) from error


def published() -> list[Path]:
    """Folders of every published version, newest first (the order of `model/weights/latest`)."""
    names = (WEIGHTS / "latest").read_text().split() if (WEIGHTS / "latest").is_file() else []
    if not names:
        raise BadCheckpoint(f"no version is published: {WEIGHTS / 'latest'} is missing or empty")
    return [WEIGHTS / name for name in names]


def publish(folder: Path) -> str:
    """Copy a checkpoint into the register and make it the newest; returns its digest."""
    name = digest(folder)
    target = WEIGHTS / name
    target.mkdir(parents=True, exist_ok=True)
    for file in ("model.safetensors", OPPONENT, "config.json"):
        if (Path(folder) / file).is_file():
            (target / file).write_bytes((Path(folder) / file).read_bytes())
    older = (WEIGHTS / "latest").read_text().split() if (WEIGHTS / "latest").is_file() else []
    (WEIGHTS / "latest").write_text("\n".join([name, *(n for n in older if n != name)]) + "\n")
    return name
