"""Authority as it is given and read: no kind is both, and nothing that belongs to a person becomes an agent's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.contract import UsageError
from core.governance import authority
from core.governance.decisions import DOMAIN_AGENTS
from core.store.schema import Agent, DecisionKind
from core.store.transaction import Transaction
from tests.unit.scope_place import KIND, OWN, Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


def give(place: Place, mode: Any = "autonomous", kind: str = KIND, agent: str = "technical", **more: Any) -> int:
    facts = {"by": "ada", "reason": "as we said", **more}
    return place.write(lambda tx: authority.grant(tx, agent, kind, mode, **facts))


def bar(place: Place, key: str, **values: Any) -> None:
    def write(tx: Transaction) -> None:
        [(number,)] = tx.sql("SELECT id FROM decision_kinds WHERE key = ?", (key,))
        tx.update(DecisionKind, number, **values)
        tx.event("test.changed")

    place.write(write)


def modes(place: Place, agent: str = "technical") -> dict[str, str]:
    return {kind.key: kind.mode for kind in place.read(lambda r: authority.kinds(r, agent))}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "security"}, "technical's security has a ceiling, which no record lifts; it stays with a person"),
        ({"kind": "data_removal"}, "has a ceiling"),
        ({"kind": "externl_service"}, "names the kind 'externl_service', so it escalates; did you mean"),
        ({"kind": "navigation"}, "No list of technical names the kind 'navigation'"),
        ({"kind": "naming_of_cats", "mode": "escalate"}, "No list of technical names"),
        ({"mode": "sometimes"}, "is 'autonomous' or 'escalate', not 'sometimes'"),
        ({"agent": "ac-writer"}, "no domain agent 'ac-writer'; known are technical, strategy, ux, gtm"),
        ({"agent": "nobody"}, "no domain agent 'nobody'"),
        ({"by": "ux"}, "is an agent"),
        ({"by": " agents.yaml "}, "stands for the file itself"),
        ({"by": ""}, "a name is missing"),
        ({"reason": "  "}, "Say why technical's authority over external_service becomes autonomous"),
    ],
)
def test_what_nobody_may_grant(place: Place, changes: dict[str, Any], told: str) -> None:
    before = modes(place)

    with pytest.raises(UsageError, match=told):
        give(place, **changes)
    assert modes(place) == before
    assert place.events("authority.") == []


def test_what_cannot_be_undone_is_never_granted_although_it_has_no_ceiling(place: Place) -> None:
    bar(place, KIND, reversible=False)

    with pytest.raises(UsageError, match="cannot be undone, so it always waits for a person"):
        give(place)


def test_a_grant_that_nobody_may_give_is_not_restored_either(place: Place) -> None:
    former = give(place)
    give(place, "escalate")
    bar(place, KIND, ceiling="escalate")

    with pytest.raises(UsageError, match="has a ceiling"):
        place.write(lambda tx: authority.restore(tx, "technical", KIND, former, by="ada", reason="a slip"))


def test_an_agent_that_is_not_on_the_team_any_more_is_granted_nothing(place: Place) -> None:
    def leave(tx: Transaction) -> None:
        tx.execute(Agent.update(is_active=False).where(Agent.role == "technical"))
        tx.event("test.changed")

    place.write(leave)

    with pytest.raises(UsageError, match="no domain agent 'technical'; known are strategy, ux, gtm"):
        give(place)


def test_a_grant_is_in_force_at_once_and_the_ones_before_stay(place: Place) -> None:
    first = give(place)
    second = give(place, "escalate", proposal=7)

    newest = place.read(lambda r: authority.in_force(r, "technical", KIND))
    assert newest == authority.Grant(second, "escalate", "ada", "as we said", place.now, 7)
    assert second > first
    assert modes(place)[KIND] == "escalate"


@pytest.mark.parametrize(
    "values", [{"ceiling": "escalate"}, {"reversible": False}, {"is_active": False}], ids=["ceiling", "final", "gone"]
)
def test_a_grant_gives_nothing_any_more_once_the_kind_is_a_person_s(place: Place, values: dict[str, Any]) -> None:
    give(place)

    bar(place, KIND, **values)

    in_force = place.read(lambda r: authority.in_force(r, "technical", KIND))
    assert in_force is not None
    assert in_force.mode == "escalate"
    assert modes(place).get(KIND, "escalate") == "escalate"
    assert place.decide().outcome == "escalated"


def test_what_was_granted_is_told_apart_from_what_holds(place: Place) -> None:
    give(place)
    bar(place, KIND, ceiling="escalate")

    granted = place.read(lambda r: authority.granted(r, "technical", KIND))
    [kind] = [k for k in place.read(lambda r: authority.kinds(r, "technical")) if k.key == KIND]
    assert granted is not None
    assert (granted.mode, kind.mode, kind.grant) == ("autonomous", "escalate", granted)


def test_a_kind_that_nobody_was_given_is_in_no_force(place: Place) -> None:
    assert place.read(lambda r: authority.in_force(r, "technical", "naming_of_cats")) is None


def test_the_list_and_the_single_look_agree_for_every_kind_of_every_agent(place: Place) -> None:
    give(place)
    give(place, "escalate", OWN)

    for agent in DOMAIN_AGENTS:
        for key, mode in modes(place, agent).items():
            assert place.mode(key, agent) == mode


def test_the_kinds_of_an_agent_are_read_in_two_queries(place: Place) -> None:
    asked = []

    class Counting:
        def __init__(self, reader: Any) -> None:
            self.reader = reader

        def rows(self, query: Any) -> Any:
            asked.append(query)
            return self.reader.rows(query)

    found = place.read(lambda r: authority.kinds(Counting(r), "technical"))  # type: ignore[arg-type]

    assert len(found) == 16
    assert len(asked) == 2
