"""What a figure is, and how samples become one. Everything here is pure but for `settled`."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

UNIT_SECONDS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `median`, `worst` and `floor` are in `unit`; `ratio` is median over baseline's median."""

    what: str
    unit: str
    median: float
    worst: float
    n: int
    floor: float | None = None
    baseline: str = ""
    ratio: float | None = None

    @property
    def verdict(self) -> str:
        """A floor is judged by the median: the tail of a shared machine says more about its other tenants."""
        if self.floor is None:
            return ""
        return "met" if self.median < self.floor else "MISSED"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a figure is held against: its name, and its own samples of the same run, in the same unit."""

    name: str
    samples: Sequence[float]


def percentile(samples: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; of fewer than 100 samples the 99th is the largest."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def duration(
    what: str, seconds: Sequence[float], unit: str, *, floor: float | None = None, baseline: Baseline | None = None
) -> Figure:
    """A figure of times. `seconds` are samples in seconds, whatever `unit` they are shown in."""
    scaled = [s / UNIT_SECONDS[unit] for s in seconds]
    base = None if baseline is None else Baseline(baseline.name, [s / UNIT_SECONDS[unit] for s in baseline.samples])
    return _figure(what, unit, scaled, percentile(scaled, 0.99), floor, base)


def tail(what: str, seconds: Sequence[float], unit: str, *, floor: float | None = None) -> Figure:
    """A figure of the slow end: its first number is the 99th percentile, its second the worst there was."""
    scaled = [s / UNIT_SECONDS[unit] for s in seconds]
    return Figure(f"{what}: p99, worst", unit, percentile(scaled, 0.99), max(scaled), len(scaled), floor)


def rate(what: str, per_second: Sequence[float], unit: str, *, baseline: Baseline | None = None) -> Figure:
    """A figure of rates, of which the worst is the smallest."""
    return _figure(what, unit, per_second, percentile(per_second, 0.01), None, baseline)


def size(what: str, counts: Sequence[float], unit: str, *, baseline: Baseline | None = None) -> Figure:
    return _figure(what, unit, counts, percentile(counts, 0.99), None, baseline)


def settled() -> None:
    """Collect what earlier measurements left behind. The collector stays on while sampling, as in the product."""
    gc.collect()


def full_collections() -> int:
    """How often this process has collected its oldest generation: a pause that can land in any sample."""
    return int(gc.get_stats()[-1]["collections"])


def _figure(
    what: str, unit: str, samples: Sequence[float], worst: float, floor: float | None, baseline: Baseline | None
) -> Figure:
    median = statistics.median(samples)
    ratio = None if baseline is None else median / statistics.median(baseline.samples)
    return Figure(what, unit, median, worst, len(samples), floor, baseline.name if baseline else "", ratio)
