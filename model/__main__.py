"""`python -m model`: train, distill, sample, evaluate, info."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click
import torch
from PIL import Image

from model import checkpoint as checkpoints
from model.errors import ElsewhereError
from model.memory import keep_what_is_freed
from model.network import PRESETS, Network, NetworkConfig
from model.residual import Whitening
from model.sampler import DIALS, SamplerConfig
from model.training.imagery import IMAGERY
from model.training.processes import await_others, here, join, machine

THREADS = max(1, os.cpu_count() // here()[1])


class Group(click.Group):
    """Turns our errors into one line for people and a non-zero exit."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ElsewhereError, ValueError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Group, context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
def main():
    """The generator of Elsewhere: train it, ask it, judge it."""


def _settings(path: Path | None) -> dict:
    """A recipe: JSON with the fields of TrainConfig or DistillConfig that differ from the defaults."""
    try:
        return json.loads(path.read_text()) if path else {}
    except ValueError as error:
        raise click.BadParameter(f"{path} is not JSON: {error}") from None


def _configured(kind, values: dict):
    """A configuration of a recipe's values; what is wrong with them is said as for any other option."""
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise click.BadParameter(f"the recipe does not describe a {kind.__name__}: {error}") from None


def _earth():
    from model.worlds import Worlds
    return Worlds().get("earth").base(0)


@main.command()
@click.option("--imagery", type=click.Path(path_type=Path), default=IMAGERY, help="folder with index.csv and shards")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="where state.pt, log.json, sheets/ go")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="explorer")
@click.option("--recipe", type=click.Path(exists=True, path_type=Path), help="JSON of TrainConfig fields")
@click.option("--steps", type=int, help="optimiser steps")
@click.option("--minutes", type=float, help="stop after that much training time")
@click.option("--batch", type=int, help="pairs per step, over all processes")
@click.option("--accumulate", type=int, help="micro-batches per step")
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="state.pt whose weights to start from")
@click.option("--without-resolution", is_flag=True, help="the ablation without ground-resolution guidance: "
              "no branch for it, and one whitening for all levels")
@click.option("--without-degradation", is_flag=True, help="the ablation without the high-order degradation")
@click.option("--resume", is_flag=True, help="go on from OUT/state.pt")
@click.option("--device", default="cpu")
@click.option("--threads", type=int, default=THREADS, help="of each process")
def train(imagery, out, preset, recipe, steps, minutes, batch, accumulate, start, without_resolution,
          without_degradation, resume, device, threads):
    """Train a network by denoising. Under `torchrun` several processes share each batch."""
    from dataclasses import replace

    from model.training.imagery import read_patches
    from model.training.loop import TrainConfig, Trainer
    from model.training.pairs import PairConfig
    values = _settings(recipe)
    given = {"steps": steps, "minutes": minutes, "batch": batch, "accumulate": accumulate}
    values |= {k: v for k, v in given.items() if v}
    values["pairs"] = _configured(PairConfig, values.get("pairs", {}))
    if without_degradation:
        values["pairs"] = replace(values["pairs"], degradation=False)
    config = _configured(TrainConfig, values)
    network = replace(PRESETS[preset], resolution=not without_resolution)
    torch.set_num_threads(threads)
    device = join(device)
    base = _earth()
    trainer = Trainer(network, config, read_patches(imagery, "train", base), read_patches(imagery, "val", base), out,
                      device)
    if resume:
        trainer.resume()
    elif start:
        trainer.start_from(start)
    trainer.run()


@main.command()
@click.option("--teacher", type=click.Path(exists=True, path_type=Path), required=True,
              help="state.pt of `train`, or the folder of a published version")
@click.option("--imagery", type=click.Path(path_type=Path), default=IMAGERY)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--recipe", type=click.Path(exists=True, path_type=Path), help="JSON of DistillConfig fields")
@click.option("--steps", type=int)
@click.option("--minutes", type=float)
@click.option("--resume", is_flag=True)
@click.option("--device", default="cpu")
@click.option("--threads", type=int, default=THREADS, help="of each process")
def distill(teacher, imagery, out, recipe, steps, minutes, resume, device, threads):
    """Distil a trained network to few steps, by a proper score, on the cascade's own output.

    Under `torchrun` several processes share each batch: on two cores two of them take twice the pairs.
    """
    from model.training.distill import DistillConfig, Distiller
    from model.training.imagery import read_patches
    from model.training.pairs import PairConfig
    values = _settings(recipe) | {k: v for k, v in {"steps": steps, "minutes": minutes}.items() if v}
    if "pairs" in values:
        values["pairs"] = _configured(PairConfig, values["pairs"])
    config = _configured(DistillConfig, values)
    torch.set_num_threads(threads)
    device = join(device)
    base = _earth()
    train, validation = (read_patches(imagery, split, base) for split in ("train", "val"))
    distiller = Distiller(teacher, config, train, out, device, validation)
    if resume:
        distiller.resume()
    distiller.run()


@main.command()
@click.option("--teacher", type=click.Path(exists=True, path_type=Path), required=True,
              help="the folder of a version that is asked once")
@click.option("--imagery", type=click.Path(path_type=Path), default=IMAGERY)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="where windows/, state.pt, log.json go")
@click.option("--recipe", type=click.Path(exists=True, path_type=Path), help="JSON of NarrowConfig fields")
@click.option("--steps", type=int)
@click.option("--minutes", type=float)
@click.option("--resume", is_flag=True)
@click.option("--threads", type=int, default=THREADS, help="of each process")
def narrow(teacher, imagery, out, recipe, steps, minutes, resume, threads):
    """Teach a network what a distilled one answers, by less around a window.

    Under `torchrun` several processes share each batch: on two cores two of them take twice the windows.
    """
    from model.training import windows
    from model.training.imagery import read_patches
    from model.training.narrow import NarrowConfig, Narrower
    config = _configured(NarrowConfig,
                         _settings(recipe) | {k: v for k, v in {"steps": steps, "minutes": minutes}.items() if v})
    torch.set_num_threads(threads)
    join("cpu")
    patches = read_patches(imagery, "train", _earth()) if config.known else []
    windows.make(teacher, out / "windows", config.places, patches, config.known, config.seed)
    await_others()
    narrower = Narrower(teacher, config, out / "windows", out)
    if resume:
        narrower.resume()
    narrower.run()


def asked(command):
    """A command with an option for every dial."""
    for of in reversed(DIALS.values()):
        command = click.option(f"--{of.name}", default="", help=of.help)(command)
    return command


@main.command()
@click.argument("state", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--mean", "another", type=click.Path(exists=True, path_type=Path),
              help="another state of the same run: the mean of both averages is taken")
@click.option("--share", type=click.FloatRange(0, 1), default=0.5, help="... and how much that other counts in it")
@click.option("--times", default="999,399", help="DDIM timesteps")
@click.option("--halo", default=32, help="pixels around a window that are computed and dropped")
@click.option("--padding", type=click.Choice(["zeros", "replicate"]), help="beyond a window, if other than in training")
@click.option("--plains", is_flag=True, help="show no fields where the base is rugged, though in training there were")
@click.option("--roads", is_flag=True, help="show roads from town to town, though in training there were none")
@click.option("--degradation", default="0", help="what the network is told of its conditions, as 0.04 or by level, as "
              "0.04,9:0.1")
@asked
@click.option("--rows/--no-rows", default=True, help="tell the network every row's ground resolution")
@click.option("--supports/--no-supports", default=True, help="a level stands on supports of the one above, smaller "
              "than its tiles")
@click.option("--note", default="", help="a line for people, kept with the weights")
@click.option("--publish", is_flag=True, help="make it the newest published version")
def export(state, folder, another, share, times, halo, padding, plains, roads, degradation, rows, supports, note,
           publish, **dials):
    """Turn a training's state.pt into a checkpoint (config.json + model.safetensors).

    STATE may also be the folder of a checkpoint: the same weights, to be asked otherwise.
    """
    values = checkpoints.read_state(state)
    if another:
        other = checkpoints.read_state(another)
        if other["network_config"] != values["network_config"]:
            raise click.BadParameter(f"{another} is of another network than {state}")
        values["average"] = {name: torch.lerp(one, other["average"][name], share)
                             for name, one in values["average"].items()}
        note = f"{note} (mean of steps {other['step']}, {share:g} of it, and {values['step']})".strip()
    changed = {name: value for name, value in (("padding", padding), ("plains", plains), ("roads", roads)) if value}
    try:
        network = Network(NetworkConfig.from_dict(values["network_config"] | changed))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    network.load_state_dict(values["average"])
    recipe = values["about"] | {"weights_of": checkpoints.digest(state), "note": note} if state.is_dir() else {
        "config": _plain(values["config"]), "step": values["step"], "minutes": round(values["seconds"] / 60, 1),
        "teacher_steps": values.get("teacher_steps"), "machine": values.get("machine", machine()),
        "torch": values.get("torch", torch.__version__), "note": note, "licence": "CC BY-SA 4.0, see docs/MODEL.md"}
    try:
        told = _by_level(degradation)
        sampler = SamplerConfig(tuple(int(t) for t in times.split(",")), told.pop("", 0.0), told, halo, rows=rows,
                                supports=supports, **{key: _by_level(dials[of.name]) for key, of in DIALS.items()})
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    digest = checkpoints.save(folder, network, Whitening(values["whitening"]), sampler, recipe,
                              values.get("discriminator"))
    click.echo(f"{folder}: {digest}")
    if publish:
        checkpoints.publish(folder)
        click.echo(f"published as {checkpoints.WEIGHTS / digest}")


def _by_level(given: str) -> dict[str, float]:
    """``"0.04,9:0.1"`` -> ``{"": 0.04, "9": 0.1}``."""
    parts = (part.rpartition(":")[::2] for part in given.split(",") if part)
    return {level: float(value) for level, value in parts}


def _plain(value):
    """What JSON can hold."""
    return json.loads(json.dumps(value, default=lambda v: asdict(v) if hasattr(v, "__dataclass_fields__") else str(v)))


@main.command()
@click.option("--world", default="earth")
@click.option("--seed", default="0")
@click.option("--lon", default=-9.05)
@click.option("--lat", default=42.6)
@click.option("--zoom", default=13, type=click.IntRange(0, 15))
@click.option("--size", default=512, help="pixels")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="a checkpoint's folder")
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, help="picture to write")
def sample(world, seed, lon, lat, zoom, size, weights, out):
    """Draw one place."""
    from model.generator import Generator
    from model.grid import lonlat_to_pixel
    from model.worlds import Worlds
    generator = Generator(Worlds(), weights=weights, threads=os.cpu_count())
    px, py = (int(v) - size // 2 for v in lonlat_to_pixel(zoom, lon, lat))
    pixels = generator.region(generator.address(world, seed, zoom, 0, 0), px, py, px + size, py + size)
    Image.fromarray(pixels).save(out)
    click.echo(f"{out}: {world}/{seed} z{zoom} around {lat:.3f}, {lon:.3f}")


@main.command()
@click.option("--weights", type=click.Path(exists=True, path_type=Path), help="a checkpoint's folder, else published")
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="leave the measured radius out")
def info(weights, as_json, quick):
    """Parameters, FLOPs of one tile, receptive field computed and measured, digest."""
    from model.inspection import describe
    facts = describe(weights or checkpoints.published()[0], measure=not quick)
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    for name, value in facts.items():
        click.echo(f"{name:34} {value}")


if __name__ == "__main__":
    from model.evaluation.command import evaluate
    main.add_command(evaluate)
    keep_what_is_freed()
    sys.exit(main())
