"""One measured line of a gate, and how a check writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from core.contract import Json


class Criterion(NamedTuple):
    """One measured line. `not_applicable` holds the rule that makes it pointless for this work item, if one does."""

    name: str
    required: str
    actual: str
    passed: bool
    missing: tuple[str, ...] = ()
    evidence: tuple[Json, ...] = ()
    not_applicable: str = ""
    loosened: str = ""
    short: float | None = None
    """How much is missing, in the criterion's own unit, where that is a figure: what a next round is compared by."""

    def to_json(self) -> Json:
        shown: Json = {
            "name": self.name,
            "required": self.required,
            "actual": self.actual,
            "passed": self.passed,
            "evidence": list(self.evidence),
        }
        if self.short is not None and not self.passed:
            shown["short"] = self.short
        if self.not_applicable:
            shown["not_applicable"] = self.not_applicable
        if self.loosened:
            shown["loosened"] = self.loosened
        return shown


Check = Callable[[Json, Mapping[str, float]], Criterion]


def judged(
    required: str, actual: str, passed: bool, missing: str | Sequence[str] = (), *, short: float | None = None
) -> Criterion:
    texts = (missing,) if isinstance(missing, str) else tuple(missing)
    return Criterion("", required, actual, passed, () if passed else texts, short=short)


def unless_wrong(measured: Criterion, wrong: Sequence[str]) -> Criterion:
    """The measured line, not passed where something that it had to read has the wrong shape."""
    if not wrong:
        return measured
    return measured._replace(passed=False, missing=(*measured.missing, *wrong))
