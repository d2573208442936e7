"""What a benchmark says: rows of a table, medians and percentiles."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured thing: in words, in numbers, and whether it met its target (None: there is none)."""

    name: str
    measured: str
    target: str
    met: bool | None
    numbers: dict


def percentile(values: list[float], part: float) -> float:
    """The smallest value that ``part`` (0…1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
