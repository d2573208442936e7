"""docs/EVALUATION.md and evaluation.json from what the sections found."""

import json
import math
from pathlib import Path

from model.evaluation.scenes import NAMES
from model.evaluation.statistics import of_colour
from model.evaluation.targets import Verdict

WORDS = {True: "met", False: "**missed**", None: "not measured"}


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(
        ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(r) + " |" for r in rows)]
    )


def number(value, digits: int = 2) -> str:
    return "–" if value is None or (isinstance(value, float) and math.isnan(value)) else f"{value:.{digits}f}"


def spread(entry: dict | None, digits: int = 2) -> str:
    return "–" if not entry else f"{number(entry['kid'], digits)} ± {number(entry['spread'], digits)}"


def level_name(level: str) -> str:
    return {"611x": "z8–9 (611 m)"}.get(level, f"{NAMES[level]} ({level} m)")


def targets(verdicts: list[Verdict]) -> str:
    return table(["target", "found", ""], [[v.target, v.found, WORDS[v.met]] for v in verdicts])


def fidelity(found: dict) -> str:
    names = ["real", *found["rows"]]
    rows = []
    for level, entry in found["levels"].items():
        cells = [f"{entry['patches']} / {entry['scenes']}"]
        for name in names:
            value = entry["kid"].get(name)
            few = (
                f" (n={value['patches']})"
                if value and value.get("patches", entry["patches"]) != entry["patches"]
                else ""
            )
            cells.append(spread(value) + few)
        rows.append([level_name(level), *cells])
    lines = [
        "KID on wavelet-scattering features of 64 px crops (117 numbers, reduced to at most 32 principal components "
        "of the level's "
        "own real crops). The spread is the standard deviation over 200 bootstrap draws of *scenes*; `real` is random "
        "halves of the "
        "validation patches against each other, its spread over the splits. Single level: conditions are real 4×4 "
        "means, and told to be so; in rows of an “own condition” they are what the same network made of the 16×16 "
        "means. A picture "
        "and its own counterpart are never compared with each other, so values may fall a little below 0.",
        "",
        table(["level", "patches / scenes", *names], rows),
        "",
        "FID on the same features (torchmetrics):",
        "",
        table(
            ["level", *found["rows"]],
            [
                [level_name(level), *(number(entry["fid"].get(n)) for n in found["rows"])]
                for level, entry in found["levels"].items()
            ],
        ),
    ]
    kinds = list(next(iter(found["levels"].values()))["off"])
    lines += [
        "",
        "Where the student's distance lies, from real conditions: by how many deviations of real crops the mean of its "
        "features is off. How strong the octave of a wavelength is, and how it is bunched over a longer one.",
        "",
        table(
            ["level", *kinds],
            [[level_name(level), *(f"{e['off'][k]:+.2f}" for k in kinds)] for level, e in found["levels"].items()],
        ),
    ]
    differences = [
        [level_name(level), f"{d['of']} − {name}", f"{d['minus this']:+.3f} ± {d['spread']:.3f}"]
        for level, entry in found["levels"].items()
        for name, d in entry["differences"].items()
    ]
    if differences:
        lines += [
            "",
            "Differences on the same patches, draw by draw (negative: the first is better):",
            "",
            table(["level", "KID of", "difference"], differences),
        ]
    regions = [
        [level_name(level), name, str(v["patches"]), spread(v["bicubic"]), spread(v["student"])]
        for level, named in found["regions"].items()
        for name, v in named.items()
    ]
    if regions:
        lines += [
            "",
            "By region (only those with at least 6 patches among the ones judged):",
            "",
            table(["level", "region", "patches", "bicubic", "student"], regions),
        ]
    if "inception" in found:
        lines += [
            "",
            "On Inception features, whole pictures of all levels together:",
            "",
            table(
                ["", "FID", "KID", "pictures"],
                [
                    [name, number(v["fid"]), number(v["kid"], 4), str(v["pictures"])]
                    for name, v in found["inception"].items()
                ],
            ),
        ]
    else:
        lines += [
            "",
            "Inception's weights could not be had on the machine that wrote this; `--inception FILE` adds its FID and "
            "KID.",
        ]
    return "\n".join(lines)


def seams(found: dict) -> str:
    lines = [
        "Mean absolute gradient across window borders over that across the lines of the same phase (every 16 px) "
        "within half a window of each; ± the standard error of that ratio of pairs. 1 is no seam, but for what happens "
        "to lie on these lines: the canonical windows' pictures were made a second time, each in one window.",
        "",
    ]
    keys = [k for k in ("student", "50 steps") if k in found]
    head = ["windows"] + [
        f"{found['steps']} steps" if k == "student" else f"50 steps ({found['50 steps by']})" for k in keys
    ]
    names = list(found["student"])
    rows = [
        [
            n,
            *(f"{found[k][n]['ratio']:.3f} ± {found[k][n]['spread']:.3f}" for k in keys),
            " / ".join(str(found[k][n]["borders"]) for k in keys),
        ]
        for n in names
    ]
    controls = {
        "the same lines of the same pictures in one window, where no border is": found["no border"],
        "canonical, across its borders over across these lines": found["against no border"],
    }
    rows += [
        [n, f"{v['ratio']:.4f} ± {v['spread']:.4f}", *[""] * (len(keys) - 1), str(v["borders"])]
        for n, v in controls.items()
    ]
    return "\n".join(lines) + "\n" + table(head + ["borders"], rows)


def repetition(found: dict) -> str:
    names = list(dict.fromkeys(n for v in found["grounds"].values() for n in v))
    return (
        "Correlation of the made detail with itself one stride away, over calm ground told to be "
        f"{found['resolution']} m/px. "
        "Identical noise repeats; a field does not.\n\n"
        + table(["ground", *names], [[g, *(number(v.get(n), 3) for n in names)] for g, v in found["grounds"].items()])
    )


def _ratios(groups: dict, label, colour: bool = False) -> str:
    statistics = [s for s in next(iter(groups.values()))["statistics"] if of_colour(s) == colour]
    return table(
        ["", "n", *statistics],
        [
            [
                label(k),
                str(v.get("places", v.get("patches"))),
                *(
                    f"{v['statistics'][s]['made']:.3g} / {v['statistics'][s]['real']:.3g} = "
                    f"**{v['statistics'][s]['ratio']:.2f}** "
                    f"± {v['statistics'][s]['spread']:.2f}"
                    for s in statistics
                ),
            ]
            for k, v in groups.items()
        ],
    )


def cascade(found: dict) -> str:
    lines = [
        "Made / real = **ratio** ± its spread over bootstrap draws of scenes. Sharpness is the mean |Laplacian|, "
        "contrast the standard "
        "deviation in 64 px squares, octaves are power by wavelength; kurtosis is the median over pictures, the rest "
        "means.",
        "",
        "**Whole cascade**, `earth` seed 0 rendered at the validation patches' own places and resolutions, where the "
        "base that it comes down from has the picture's mean colour within 25 grey levels (of the others, most are of "
        "another season: snow in one of the two):",
        "",
        _ratios(found["cascade"], str) if found["cascade"] else "no places",
        "",
        "The same at all places:",
        "",
        _ratios(found["all places"], str) if found["all places"] else "no places",
        "",
        "Power of colour by wavelength, where the base has the picture's mean colour: red less blue, green less the "
        "mean of both. No target says anything of it; a map of too little of it is monochrome.",
        "",
        _ratios(found["cascade"], str, colour=True) if found["cascade"] else "no places",
        "",
        table(
            [
                "",
                "4×4 mean against parent, dB",
                "colour drift since the base, R G B, grey levels",
                "of one place, typically",
                "grid 4 px",
                "grid 16 px",
            ],
            [
                [
                    z,
                    number(v["psnr"], 1),
                    " ".join(f"{d:+.2f}" for d in v["drift"]["mean"]),
                    number(v["drift"]["typical"]),
                    number(v["grid 4"], 3),
                    number(v["grid 16"], 3),
                ]
                for z, v in found["cascade"].items()
            ],
        ),
        "",
        "**Single level**, from real conditions:",
        "",
        _ratios(found["single"], level_name),
        "",
        table(
            ["", "grid 4 px", "grid 16 px"],
            [[level_name(k), number(v["grid 4"], 3), number(v["grid 16"], 3)] for k, v in found["single"].items()],
        ),
    ]
    return "\n".join(lines)


def calm(found: dict) -> str:
    return (
        "Contrast (standard deviation in 64 px squares, grey levels) of tiles of the cascade over that of their "
        "parents' pixels "
        "enlarged; below half a grey level both count as half. Grid: mean gradient on the lines of the networks' grids "
        "over that off them; of the parent enlarged, it is of the steps of one grey level between its pixels.\n\n"
        + table(
            ["ground", "zoom", "contrast", "parent's, enlarged", "ratio", "grid 4 px", "grid 16 px",
             "parent's, enlarged, 4 px", "16 px"],
            [
                [g, z, number(v["contrast"]), number(v["parent's contrast"]), number(v["ratio"])]
                + [number(v[f"{whose}grid {period}"], 3) for whose in ("", "parent's ") for period in (4, 16)]
                for g, zooms in found.items()
                for z, v in zooms.items()
            ],
        )
    )


def parallel(found: dict) -> str:
    return (
        "Mean square of the difference between seeds 0 and 1 after an 8 px moving mean, over the mean square of real "
        "imagery's "
        "residual (what it has beyond the enlarged 4×4 mean), luminance.\n\n"
        + table(
            ["zoom", "difference", "real residual", "ratio", "places"],
            [
                [
                    z,
                    number(v["difference"]),
                    number(v["residual"]),
                    f"{v['ratio']:.2f} ± {v['spread']:.2f}",
                    str(v["places"]),
                ]
                for z, v in found.items()
            ],
        )
    )


def steps(found: dict) -> str:
    rows = [
        [
            name,
            label,
            spread(v["kid"]),
            number(v["sharpness over real"]),
            number(v["kurtosis"], 1),
            number(v["seconds"], 2),
        ]
        for name, curve in found.get("networks", {}).items()
        for label, v in curve.items()
    ]
    return (
        f"Single level, z7–z15 together, {found['patches']} patches (real kurtosis "
        f"{number(found['real kurtosis'], 1)}); seconds "
        "of one window of 256 px, halo and encoder included, on the machine below. A student asked at other timesteps "
        "than "
        "its own is out of its training.\n\n"
        + table(["network", "steps", "KID", "sharpness / real", "kurtosis", "seconds per tile"], rows)
    )


def sheets(found: dict) -> str:
    lines = ["Real, condition (enlarged), generated; eight scenes a level:", ""]
    lines += [f"* [{level_name(level)}]({name})" for level, name in found["levels"].items()]
    lines += [
        "",
        "One place in four seeds:",
        "",
        f"![four seeds]({found['seeds']})",
        "",
        "Six places from the planet to 4 m beside real imagery: [STRIPS.md](STRIPS.md).",
    ]
    return "\n".join(lines)


TITLES = {
    "fidelity": "1. Fidelity",
    "seams": "2. Seams",
    "repetition": "3. Repetition",
    "cascade": "4. Sharpness, contrast, edges, colour, zoom",
    "calm": "4b. Open sea, ice, sand",
    "parallel": "5. Parallel worlds",
    "steps": "6. Steps",
    "sheets": "7. For the eye",
}


def markdown(results: dict, verdicts: list[Verdict], about: dict) -> str:
    lines = [
        "# Evaluation",
        "",
        f"Written by `{about['command']}` on {about['date']}: network `{about['digest']}`, {about['steps']} DDIM "
        "steps, "
        f"{about['machine']}, {about['minutes']:.1f} minutes, budget “{about['budget']}”. Validation scenes only "
        "(never trained on), "
        "in the tone of docs/MODEL.md. Data are few, above all at 19 and 4.8 m: read the spreads.",
        "",
        "## Targets",
        "",
        targets(verdicts),
        "",
    ]
    for name, title in TITLES.items():
        if name in results:
            lines += [f"## {title}", "", globals()[name](results[name]), ""]
    return "\n".join(lines)


def write(out: Path, results: dict, verdicts: list[Verdict], about: dict) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "EVALUATION.md").write_text(markdown(results, verdicts, about))
    whole = {"about": about, "targets": [v.__dict__ for v in verdicts], "sections": results}
    (out / "evaluation.json").write_text(json.dumps(_plain(whole), indent=1) + "\n")


def _plain(value):
    """NaN has no place in JSON."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    value = float(value) if not isinstance(value, int) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
