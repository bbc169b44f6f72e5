"""A scope review: what the domain agents suggest, weighed by the master, put before a person as one package.

A review changes no authority. It leaves one undecided proposal for each change at most: an elder one whose figures
still stand is carried as it is, one whose figures have changed is replaced, one whose grounds are gone is put aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.contract import Json, UsageError, canonical_json
from core.governance.decisions import DOMAIN_AGENTS
from core.governance.persons import named_person
from core.governance.scope.loads import WEEK_MS
from core.governance.scope.proposing import Draft, draft, put, supersede, surroundings
from core.governance.scope.requests import ASKED_FOR, requested
from core.governance.scope.suggestions import (
    BOTTLENECK,
    COLLABORATION,
    CONTRACTION,
    EXPANSION,
    suggest_scope_improvements,
)
from core.governance.scope.wishes import TakenUp, take_up
from core.sanitise import one_line
from core.store import reads_governance
from core.store.reads import Connection
from core.store.rows_governance import ScopeProposalRow, ScopeReviewRow
from core.store.schema import ScopeReview
from core.store.transaction import Transaction

SHORTEST_MS = WEEK_MS
"""A review looks back to the one before, and so far at least."""
HEAVY_IMPACT = 7
"""Of a kind, from which on a change of its authority is shown first."""
MOST_WEEKLY = 100
MOST_UNDECIDED = 1_000

Section = tuple[str, Callable[[ScopeProposalRow], bool]]


def _is_of(*changes: str) -> Callable[[ScopeProposalRow], bool]:
    return lambda row: row.change in changes


def _is_heavy(row: ScopeProposalRow) -> bool:
    is_change = row.change in (EXPANSION, CONTRACTION)
    return is_change and (int(row.analysis.get("impact", 0)) >= HEAVY_IMPACT or row.risk == "high")


SECTIONS: tuple[Section, ...] = (
    ("High-impact changes", _is_heavy),
    ("Low-risk efficiency", _is_of(EXPANSION)),
    ("Authority to take back", _is_of(CONTRACTION)),
    ("Collaboration", _is_of(COLLABORATION)),
    ("Bottlenecks", _is_of(BOTTLENECK)),
)
"""The package in its order; a proposal stands in the first section that takes it."""


@dataclass(frozen=True, slots=True)
class WeeklyQuestion:
    """A question that waits for the scope review, and so for whoever reads its package."""

    id: int
    question: str
    raised_at: int


@dataclass(frozen=True, slots=True)
class PackageSection:
    title: str
    proposals: tuple[ScopeProposalRow, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """What a person is shown of a review. Proposals are as they stand now, decided or not.

    `weekly_count` is how many weekly questions waited, of which `weekly` are the first; `dropped` are proposals of
    earlier reviews that nobody has to decide any more: {"proposal", "why", "asked"}; `wishes` are what became of the
    rules that people wished for.
    """

    review: ScopeReviewRow
    sections: tuple[PackageSection, ...]
    weekly: tuple[WeeklyQuestion, ...]
    weekly_count: int
    dropped: tuple[Json, ...]
    wishes: tuple[TakenUp, ...] = ()

    @property
    def proposals(self) -> tuple[ScopeProposalRow, ...]:
        return tuple(row for section in self.sections for row in section.proposals)


SCHEDULE = "schedule"
"""Who signs for a scope review that no person asked for."""


def review(tx: Transaction, *, by: str | None) -> int:
    """Hold a scope review now; its number. `by` is the person who asked for it, None where the schedule did.

    Raises UsageError for a name that is missing or nobody's.
    """
    asked_by = SCHEDULE if by is None else named_person(tx, by)
    since = window_from(tx, tx.now)
    number = tx.insert(ScopeReview, at=tx.now, window_from=since, requested_by=asked_by, package="{}")
    before = reads_governance.scope_proposals(tx, undecided_only=True, limit=MOST_UNDECIDED)
    drafts = _drafts(tx, since, before)
    carried = [elder for elder in before if _still_stands(elder, drafts)]
    fresh = {key: made for key, made in drafts.items() if key not in {_key(elder) for elder in carried}}
    dropped: list[Json] = []
    for elder in before:
        if elder not in carried:
            fresh |= _put_aside(tx, number, elder, fresh, dropped)
    made = [put(tx, one, review=number) for one in fresh.values()]
    proposals = sorted([*(elder.id for elder in carried), *made])
    package = {
        "proposals": proposals,
        "new": made,
        "dropped": dropped,
        "wishes": [found.to_json() for found in take_up(tx, _expansions(tx, proposals))],
        **_weekly(tx),
    }
    tx.update(ScopeReview, number, package=canonical_json(package))
    tx.event("scope.reviewed", review=number, proposals=proposals, by=asked_by)
    return number


def _expansions(tx: Transaction, proposals: Sequence[int]) -> list[tuple[int, str, str]]:
    found = [reads_governance.scope_proposal(tx, number) for number in proposals]
    return [(row.id, row.agent, row.kind) for row in found if row is not None and row.change == EXPANSION]


def window_from(reader: Connection, now: int) -> int:
    """From when on a review at that moment counts: since the one before, and a week at least (milliseconds)."""
    last = reads_governance.scope_review(reader)
    return min(now - SHORTEST_MS, last.at if last else now)


def package(reader: Connection, review: int | None = None) -> Package | None:
    """The package of a review, or of the newest; None where there is none yet.

    The newest shows what was proposed since then as well: a person's reversal waits for no review. Raises UsageError
    for a number that is none.
    """
    newest = reads_governance.scope_review(reader)
    row = newest if review is None else reads_governance.scope_review(reader, review)
    if row is None:
        if review is not None:
            raise UsageError(f"There is no scope review {review}; `apm scope review` holds one now.")
        return None
    found = [reads_governance.scope_proposal(reader, number) for number in row.package["proposals"]]
    rows = {proposal.id: proposal for proposal in found if proposal is not None}
    if newest is not None and row.id == newest.id:
        since = reads_governance.scope_proposals(reader, undecided_only=True, limit=MOST_UNDECIDED)
        rows |= {proposal.id: proposal for proposal in since}
    return Package(
        row,
        sections_of(tuple(rows.values())),
        weekly_of(row),
        row.package["weekly_count"],
        tuple(row.package["dropped"]),
        wishes_of(row),
    )


def weekly_of(row: ScopeReviewRow) -> tuple[WeeklyQuestion, ...]:
    """The questions that waited for this review."""
    return tuple(WeeklyQuestion(**asked) for asked in row.package["weekly"])


def wishes_of(row: ScopeReviewRow) -> tuple[TakenUp, ...]:
    """What became of the wishes that this review took up."""
    return tuple(TakenUp.of_json(found) for found in row.package.get("wishes", ()))


def sections_of(proposals: Sequence[ScopeProposalRow]) -> tuple[PackageSection, ...]:
    """The proposals under their titles: the heaviest first, then what saves most; sections without any are left out."""
    found: dict[str, list[ScopeProposalRow]] = {title: [] for title, _ in SECTIONS}
    for row in sorted(proposals, key=_order):
        found[next(title for title, takes in SECTIONS if takes(row))].append(row)
    return tuple(PackageSection(title, tuple(rows)) for title, rows in found.items() if rows)


def _order(row: ScopeProposalRow) -> tuple[int, int, float, int]:
    risk = ("high", "medium", "low").index(row.risk)
    heavy = _is_heavy(row)
    impact = -int(row.analysis.get("impact", 0)) if heavy else 0
    # Among lighter changes the safest come first, and of those what saves most.
    return impact, risk if heavy else -risk, -(row.hours_saved_per_week or 0.0), row.id


_Key = tuple[str, str, str]


def _key(row: ScopeProposalRow) -> _Key:
    return row.agent, row.kind, row.change


def _drafts(tx: Transaction, since: int, before: Sequence[ScopeProposalRow]) -> dict[_Key, Draft]:
    """What would be put now: what the records suggest, and what people have asked for with its figures of today."""
    around, renewing = surroundings(tx, since), [row.id for row in before]
    found = {
        suggested.key: suggested
        for agent in DOMAIN_AGENTS
        for suggested in suggest_scope_improvements(tx, agent, tx.now, since, renewing=renewing).every
    }
    for row in before:
        request = row.analysis.get(ASKED_FOR)
        asked = requested(tx, row.agent, row.kind, row.change, request, tx.now, since) if request else None
        if asked is not None:
            found[asked.key] = asked
    return {key: draft(tx, suggested, around) for key, suggested in found.items()}


def _still_stands(elder: ScopeProposalRow, drafts: Mapping[_Key, Draft]) -> bool:
    """Whether an undecided proposal is what would be put now, and nobody waits for an answer about it."""
    found = drafts.get(_key(elder))
    return found is not None and found.payload_digest == elder.payload_digest and not elder.clarification


def _put_aside(
    tx: Transaction, review: int, elder: ScopeProposalRow, fresh: Mapping[_Key, Draft], dropped: list[Json]
) -> dict[_Key, Draft]:
    """Take an elder proposal out of the way; its successor with the question that was asked about it, if any was."""
    found = fresh.get(_key(elder))
    why = "its figures are counted anew" if found is not None else "what it stood on does not hold any more"
    supersede(tx, elder.id, by=f"scope review {review}", why=why)
    if found is None:
        dropped.append({"proposal": elder.id, "why": why, "asked": elder.clarification})
    if found is None or not elder.clarification:
        return {}
    return {_key(elder): found.answering(elder.clarification, elder)}


_WEEKLY = """
FROM escalations WHERE urgency = 'WEEKLY' AND resolved_at IS NULL AND withdrawn_at IS NULL AND expired_at IS NULL
  AND merged_into IS NULL
"""


def _weekly(tx: Transaction) -> Json:
    """The questions that were told to wait for the scope review."""
    [(count,)] = tx.sql(f"SELECT COUNT(*) {_WEEKLY}")
    found = tx.sql(f"SELECT id, question, raised_at {_WEEKLY} ORDER BY id LIMIT ?", (MOST_WEEKLY,))
    asked = [{"id": number, "question": one_line(text, 300), "raised_at": at} for number, text, at in found]
    return {"weekly": asked, "weekly_count": int(count)}
