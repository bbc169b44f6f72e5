"""A slip with a scope proposal, taken back before anything followed from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.contract import UsageError
from core.governance import authority, reversal
from core.governance.scope import asking, deciding
from core.governance.scope.proposing import status
from core.governance.team import import_catalog
from core.registry import importing
from core.registry.catalog import default_path, load_sources
from core.registry.changes import BY_FILE
from core.registry.sources import Sources
from core.store import reads
from core.store.audit import verify
from core.store.rows_governance import ScopeProposalRow
from tests.unit.scope_place import KIND, Place, approve, earned, opened, reject, undo


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = opened(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def row(place: Place) -> ScopeProposalRow:
    return earned(place)


def test_the_proposal_waits_again_as_before_and_by_the_grant_that_was_in_force(
    place: Place, row: ScopeProposalRow
) -> None:
    before = place.read(lambda r: authority.kinds(r, "technical"))
    after = _approved(place, row)

    put_back(place, row, after)

    assert place.proposal(row.id) == row
    assert place.read(lambda r: authority.kinds(r, "technical")) == before
    assert place.read(lambda r: authority.granted(r, "technical", KIND)) == _kind(before).grant
    assert place.review() == [row]


def test_it_can_be_approved_after_all(place: Place, row: ScopeProposalRow) -> None:
    put_back(place, row, _approved(place, row))

    approve(place, row.id, shown_digest=row.payload_digest)

    assert (place.mode(), status(place.proposal(row.id))) == ("autonomous", "approved")


def test_both_deeds_stay_on_the_record(place: Place, row: ScopeProposalRow) -> None:
    put_back(place, row, _approved(place, row))

    found = place.read(lambda r: reads.events(r, limit=100_000))[-4:]
    assert [event.kind for event in found] == [
        *("authority.granted", "scope.approved", "authority.put_back", "scope.put_back")
    ]
    assert (found[3].payload["by"], found[3].payload["was"]) == ("eve", "approved")
    given = place.read(lambda r: r.sql('SELECT mode, "by", proposal FROM authority ORDER BY id DESC LIMIT 2'))
    assert given == [("escalate", "eve", row.id), ("autonomous", "ada", row.id)]
    assert place.store.read_now(lambda r: verify(r, place.store.key)).is_whole


def test_after_a_decision_by_the_wider_authority_undo_is_the_way(place: Place, row: ScopeProposalRow) -> None:
    after = _approved(place, row)
    place.decide()

    with pytest.raises(UsageError, match=f"has decided 1 question by it since.*`apm scope undo {row.id} "):
        put_back(place, row, after)

    assert (place.mode(), status(place.proposal(row.id))) == ("autonomous", "approved")
    undo(place, row.id)
    assert place.mode() == "escalate"


def test_what_goes_to_a_person_all_the_same_is_no_decision_by_it(place: Place, row: ScopeProposalRow) -> None:
    after = _approved(place, row)
    assert place.decide(impact=9).outcome == "escalated"

    put_back(place, row, after)

    assert place.mode() == "escalate"


def test_a_newer_grant_stands(place: Place, row: ScopeProposalRow) -> None:
    after = _approved(place, row)
    place.grant("autonomous")

    with pytest.raises(UsageError, match=f"was granted anew by ada since proposal {row.id}"):
        put_back(place, row, after)


def test_what_somebody_else_took_back_is_theirs(place: Place, row: ScopeProposalRow) -> None:
    after = _approved(place, row)
    undo(place, row.id)

    with pytest.raises(UsageError, match=f"Scope proposal {row.id} is undone by eve since"):
        put_back(place, row, after)
    with pytest.raises(UsageError, match="is undone by eve since"):
        put_back(place, row, after)


def test_a_rejection_waits_again_without_a_cool_down(place: Place, row: ScopeProposalRow) -> None:
    reject(place, row.id)

    put_back(place, row, place.proposal(row.id))

    assert place.review() == [row]
    assert place.events("authority.") == []


def test_what_was_asked_anew_meanwhile_waits_instead(place: Place, row: ScopeProposalRow) -> None:
    reject(place, row.id)
    after = place.proposal(row.id)
    place.write(lambda tx: asking.propose(tx, "technical", KIND, "autonomous", by="bob", reason="please"))

    with pytest.raises(UsageError, match=f"does not wait again: the same is asked as {row.id + 1}"):
        put_back(place, row, after)


def test_a_contraction_put_back_keeps_what_was_taken_back_under_its_grant(place: Place, row: ScopeProposalRow) -> None:
    approve(place, row.id)
    decision = place.decide().decision
    place.write(lambda tx: reversal.reverse(tx, decision, by="ada", reason="no"))
    [contraction] = [p for p in place.undecided() if p.change == "contraction"]
    granted = place.read(lambda r: authority.in_force(r, "technical", KIND))

    put_back(place, contraction, _approved(place, contraction))

    assert place.read(lambda r: authority.in_force(r, "technical", KIND)) == granted
    assert [p.analysis["reversals"] for p in place.review() if p.change == "contraction"] == [[decision]]


def test_an_import_finds_the_grant_that_was_in_force(place: Place, row: ScopeProposalRow) -> None:
    put_back(place, row, _approved(place, row))

    known = place.read(importing.read_known).grants["technical", KIND]

    assert (known.mode, known.by) == ("escalate", BY_FILE)


def test_files_that_were_changed_since_keep_it_as_it_is(place: Place, row: ScopeProposalRow) -> None:
    after = _approved(place, row)
    changed = Sources(Path("agents.yaml"), default_path().read_bytes() + b"\n# another one\n")
    place.write(lambda tx: import_catalog(tx, load_sources(changed)))

    with pytest.raises(UsageError, match="the team's files were changed since"):
        put_back(place, row, after)

    assert status(place.proposal(row.id)) == "approved"


def put_back(place: Place, before: ScopeProposalRow, after: ScopeProposalRow) -> None:
    place.write(lambda tx: deciding.put_back(tx, before, after, by="eve"))


def _approved(place: Place, row: ScopeProposalRow) -> ScopeProposalRow:
    """The proposal as an approval leaves it."""
    approve(place, row.id)
    return place.proposal(row.id)


def _kind(kinds: tuple[authority.Kind, ...]) -> authority.Kind:
    return next(kind for kind in kinds if kind.key == KIND)
