"""`python -m model evaluate`."""

import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
import torch

from model import checkpoint as checkpoints
from model.evaluation import calm, cascade, fidelity, parallel, repetition, report, seams, sheets, steps, strips
from model.evaluation.context import FULL, QUICK, TINY, Budget, Context
from model.evaluation.drawing import load
from model.evaluation.scenes import read
from model.evaluation.targets import judge
from model.training.imagery import IMAGERY

SECTIONS = {
    "strips": strips,
    "fidelity": fidelity,
    "seams": seams,
    "repetition": repetition,
    "cascade": cascade,
    "calm": calm,
    "parallel": parallel,
    "steps": steps,
    "sheets": sheets,
}
BUDGETS = {b.name: b for b in (QUICK, FULL, TINY)}
FILE = click.Path(exists=True, path_type=Path)


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--imagery", type=click.Path(path_type=Path), default=IMAGERY, help="folder with index.csv and shards")
@click.option("--weights", type=FILE, help="a checkpoint's folder; else the newest published")
@click.option(
    "--teacher", type=FILE, help="the teacher: a checkpoint's folder or a training's state.pt; asked at 50 steps"
)
@click.option("--without-resolution", type=FILE, help="the ablation without ground-resolution guidance")
@click.option("--without-degradation", type=FILE, help="the ablation without the high-order degradation")
@click.option("--with-both", type=FILE, help="the ablations' twin of the same training budget")
@click.option("--inception", type=FILE, help="TorchScript Inception network: adds its FID and KID")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("docs"), help="where EVALUATION.md and pictures go"
)
@click.option("--only", default="", help=f"sections, of {','.join(SECTIONS)}; others keep what evaluation.json has")
@click.option("--quick", "budget", flag_value="quick", default="quick", help="about half an hour on two cores")
@click.option("--full", "budget", flag_value="full", help="every validation patch: hours on two cores")
@click.option("--tiny", "budget", flag_value="tiny", hidden=True)
@click.option("--threads", type=int, default=os.cpu_count())
@click.option("--progress/--no-progress", default=True)
def evaluate(
    imagery,
    weights,
    teacher,
    without_resolution,
    without_degradation,
    with_both,
    inception,
    out,
    only,
    budget,
    threads,
    progress,
):
    """Judge a network on validation scenes; writes EVALUATION.md, STRIPS.md, evaluation.json and pictures."""
    wanted = [name.strip() for name in only.split(",") if name.strip()] or list(SECTIONS)
    unknown = set(wanted) - set(SECTIONS)
    if unknown:
        raise click.BadParameter(
            f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}", param_hint="--only"
        )
    torch.set_num_threads(threads)
    named = {
        "teacher": teacher,
        "without resolution": without_resolution,
        "without degradation": without_degradation,
        "with both": with_both,
    }
    others = {name: load(path) for name, path in named.items() if path}
    context = prepare(
        imagery,
        weights or checkpoints.published()[0],
        out,
        BUDGETS[budget],
        others,
        inception,
        threads,
        progress,
        train="strips" in wanted,
    )
    begin, results = time.monotonic(), _earlier(out, context.student.digest) if only else {}
    verdicts = []
    for name in (n for n in SECTIONS if n in wanted):
        since = time.monotonic()
        results[name] = SECTIONS[name].run(context)
        click.echo(f"{name}: {time.monotonic() - since:.0f} s", err=True)
        if name == "strips":
            strips.write(context, results[name])
        verdicts = finish(context, results, time.monotonic() - begin)  # after each: a kill loses one section at most
    for verdict in verdicts:
        click.echo(f"{report.WORDS[verdict.met].strip('*'):12} {verdict.target}: {verdict.found}")
    click.echo(f"{out / 'EVALUATION.md'}")


def prepare(
    imagery: Path,
    weights: Path,
    out: Path,
    budget: Budget,
    others=None,
    inception=None,
    threads: int = 1,
    progress: bool = False,
    train: bool = False,
) -> Context:
    """Load networks and pictures."""
    from model.generator import Generator
    from model.worlds import Worlds

    Path(out).mkdir(parents=True, exist_ok=True)
    return Context(
        student=load(weights),
        generator=Generator(Worlds(), weights=weights, threads=threads),
        patches=read(imagery, "val", progress),
        out=Path(out),
        budget=budget,
        others=others or {},
        inception=inception,
        train=read(imagery, "train", progress) if train else [],
        progress=progress,
    )


def finish(context: Context, results: dict, seconds: float):
    """Write the report of what is there so far; returns the verdicts."""
    from model.inspection import gigaflops

    flops = gigaflops(context.student)["tile"]
    verdicts = judge(results, flops, len(context.student.sampler.times))
    about = {
        "command": "python -m model " + " ".join(["evaluate", *(a for a in sys.argv[2:])])
        if len(sys.argv) > 1
        else "python -m model evaluate",
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "digest": context.student.digest,
        "steps": len(context.student.sampler.times),
        "minutes": seconds / 60,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, torch {torch.__version__}",
        "budget": context.budget.name,
        "teacher": context.others["teacher"].about if "teacher" in context.others else None,
    }
    report.write(
        context.out,
        results,
        verdicts,
        report._plain({k: str(v) if isinstance(v, dict) else v for k, v in about.items()}),
    )
    return verdicts


def _earlier(out: Path, digest: str) -> dict:
    """Sections that evaluation.json already has of this very network."""
    path = Path(out) / "evaluation.json"
    if not path.is_file():
        return {}
    found = json.loads(path.read_text())
    return found["sections"] if found["about"]["digest"] == digest else {}
