"""Owners' decisions on one topic: who is in dispute with whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.governance import authority, disputes, reversal
from core.governance.conflicts import ConflictRules
from core.governance.decisions import Choice, DecisionOutcome
from core.registry.catalog import default_path, load
from core.store import reads_governance
from tests.unit.scope_place import OWN, Place, opened

RULES = ConflictRules.of(load(default_path()))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    with closing(made.store):
        yield made


def decided(place: Place, agent: str, kind: str, recommended: str) -> DecisionOutcome:
    options = ({"key": "A", "label": "A"}, {"key": "B", "label": "B"})
    choice = Choice(agent, kind, f"{agent}?", 5, options=options, recommended=recommended, topic="cache")
    made: DecisionOutcome = place.write(lambda tx: disputes.decide(tx, choice, RULES))
    return made


@pytest.mark.parametrize(("instead", "conflicts"), [(None, 0), ("B", 0), ("A", 1)])
def test_nobody_argues_for_what_was_reversed_in_favour_of_none(
    place: Place, instead: str | None, conflicts: int
) -> None:
    first = decided(place, "technical", OWN, "B" if instead == "A" else "A")
    place.write(lambda tx: reversal.reverse(tx, first.decision, by="ada", reason="it is wrong", choice=instead))

    kinds = place.read(lambda r: authority.kinds(r, "ux"))
    decided(place, "ux", next(k.key for k in kinds if k.mode == "autonomous"), "B")

    assert len(place.read(reads_governance.conflicts)) == conflicts
