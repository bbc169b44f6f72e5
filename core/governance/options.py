"""The legal answers to a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.contract import Json


@dataclass(frozen=True, slots=True)
class Option:
    """One legal answer and what it leads to.

    `asks` are the values it has to carry: {key: shape}; where it `explains`, they are its reason as well. With `ends`
    it ends the work item that is asked about: as cancelled, or where it `fails` as failed. Where the ids in a value are
    known, `names` has each with a word on it: {key: {id: hint}}.
    """

    key: str
    label: str
    consequence: str
    asks: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False
    fails: bool = False
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    explains: bool = False

    def to_json(self) -> Json:
        told: Json = {"key": self.key, "label": self.label, "consequence": self.consequence}
        if self.asks:
            told["asks"] = dict(self.asks)
        if self.names:
            told["names"] = {key: dict(ids) for key, ids in self.names.items()}
        return told | {name: True for name in ("ends", "fails", "explains") if getattr(self, name)}
