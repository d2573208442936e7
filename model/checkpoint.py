"""Checkpoints that are published: `config.json`, readable, beside `model.safetensors`; named by their digest.

`model/weights/<digest>/` holds every version that was ever the default; `model/weights/latest` names the newest.
`discriminator.safetensors`, if it is there, is the opponent that the network was distilled against: no pixel depends on
it, but a distillation that goes on from these weights has its adversary from the first step.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.errors import BadCheckpoint
from model.network import Network, NetworkConfig
from model.residual import Whitening
from model.sampler import SamplerConfig

FORMAT = 1
WEIGHTS = Path(__file__).parent / "weights"
OPPONENT = "discriminator.safetensors"


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
        sampler.check(network.config)
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
