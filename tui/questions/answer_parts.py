"""The parts of an answer that carries values: what each is called, what was said about it, what is known of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.contract import Json
from core.orchestration.questions import ASKED_FOR
from core.sanitise import one_line
from core.store.rows import EscalationRow
from tui.questions.forms import Shape, begun, ids_in, in_order, said_about, shape_of

SIX_W = "six_w_confidence"
TOO_LITTLE = "too little is said about it"


@dataclass(frozen=True, slots=True)
class Part:
    """One value that the answer may carry."""

    key: str
    shape: str
    """Its shape's name, as in `core.governance.answers.SHAPES`."""
    how: Shape
    said: str
    """What the gate said about it; "" for nothing."""
    begun: str
    """What stands in its field at first."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Where its ids are known: each with a word on it. Then each has a field of its own."""

    @property
    def fields(self) -> tuple[tuple[str, str, str], ...]:
        """(the field's key, what it is called, a word on it) of every field that the value is typed into."""
        if not self.ids:
            return ((self.key, self.name, self.said),)
        return tuple((f"{self.key}-{i}", one_line(i.replace("_", " "), 40), one_line(h)) for i, h in self.ids.items())

    def text(self, typed: Mapping[str, str]) -> str:
        """What is typed into its fields, by the fields' keys, as one text of its shape."""
        if not self.ids:
            return typed[self.key]
        return "\n".join(f"{i}: {' '.join(typed[f'{self.key}-{i}'].split())}" for i in self.ids)

    @property
    def name(self) -> str:
        return one_line(self.key.replace("_", " "), 40)

    def amount(self, typed: str) -> str:
        """How much of what the gate wants there is with this text, in the gate's words; "" where it counts nothing."""
        counted = _COUNTED.match(self.said)
        return "" if counted is None else f"{self._sum(counted, typed)} of {counted[2]}{counted[3] or ''}"

    def told(self, typed: str) -> str:
        """What stands beside its field: what the gate said, counted anew with this text where it counts. That too
        little was said is not said of a text that it has not seen."""
        if self.said == TOO_LITTLE and typed.strip():
            return ""
        return self.amount(typed) or self.said

    def falls_short(self, typed: str) -> bool:
        """Whether the gate would miss it again."""
        counted = _COUNTED.match(self.said)
        return counted is not None and self._sum(counted, typed) < int(counted[2])

    def _sum(self, counted: re.Match[str], typed: str) -> int:
        """What is known already counts as well: an answer adds to it."""
        lines = [line for line in typed.splitlines() if line.strip()]
        return int(counted[1]) + (len(typed.strip()) if counted[3] else len(lines))


NAMED = ("numbers", "map")
"""Shapes of which each id has a field of its own where all are known."""
_IS_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
_SCORED = re.compile(r"(\d\.\d\d) of (\d\.\d\d) \(weak: ([a-z, ]+)\)$")
_COUNTED = re.compile(r"(\d{1,6}) of (\d{1,6})( characters)?$")


def parts_of(question: EscalationRow, option: Json) -> tuple[Part, ...]:
    """In the order in which one thinks of them."""
    asks: Mapping[str, str] = option.get("asks") or {}
    names: Mapping[str, Mapping[str, str]] = option.get("names") or {}
    return tuple(_part(key, asks[key], question.missing, names.get(key) or {}) for key in in_order(asks))


def _part(key: str, shape: str, missing: Sequence[Any], ids: Mapping[str, str]) -> Part:
    lines = [str(line) for line in missing]
    names = [name for name, asked in ASKED_FOR.items() if key in asked]
    # A criterion may ask for more than one value; what names this one itself is about it.
    said = said_about(key, lines) or said_about(key, lines, names)
    told = _scored(key, said) if SIX_W in names else "; ".join(one_line(line, 120) for line in said)
    known = dict(ids) if shape in NAMED and all(_IS_FIELD.fullmatch(i) for i in ids) else {}
    return Part(key, shape, shape_of(key, shape), told, begun(shape, ids or ids_in(said)), known)


def six_w_short(missing: Sequence[Any], typed: Mapping[str, str]) -> str:
    """What the gate would miss of the six questions with these texts, however well it took them; "" for nothing.

    An answer counts 1 for its question, so that one of those that are missing adds a sixth at most.
    """
    line = next(iter(said_about(SIX_W, [str(one) for one in missing])), "")
    scored = _SCORED.match(line)
    if scored is None:
        return ""
    mean, need, weak = float(scored[1]), float(scored[2]), scored[3].split(", ")
    given = [key for key in ASKED_FOR[SIX_W] if typed.get(key, "").strip()]
    best = mean + sum(1 if key in weak else 1 - need for key in given) / len(ASKED_FOR[SIX_W])
    empty = [key for key in weak if key not in given]
    if not empty or best >= need:
        return ""
    most = "at most " if given else ""
    return f"{', '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty: {most}{best:.2f} of {need:.2f}"


def _scored(key: str, said: Sequence[str]) -> str:
    """Of the six questions the gate says only which of them were answered too thinly."""
    weak = " ".join(said).partition("weak:")[2]
    return TOO_LITTLE if key in weak.replace(")", " ").replace(",", " ").split() else ""
