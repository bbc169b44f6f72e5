"""What the scope review's screen reads: its rows in the package's order, and everything about one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.governance import authority
from core.governance.cohorts import cohort_of
from core.governance.scope.effects import files_about, roots_of
from core.governance.scope.evidence import Evidence, evidence_of
from core.governance.scope.proposing import SUPERSEDED, status
from core.governance.scope.review import WeeklyQuestion, sections_of, weekly_of, wishes_of
from core.governance.scope.shortfall import shortfall
from core.governance.scope.wilson import lower_bound
from core.governance.scope.wishes import pending
from core.paths import real
from core.sanitise import one_line
from core.store import reads, reads_governance
from core.store.reads import Connection
from core.store.rows_governance import ScopeProposalRow, ScopeReviewRow

MOST_UNDECIDED = 1_000
MOST_DECIDED = 200
"""Of the proposals that a person decided, the newest; all of them are in the history."""
DECIDED, WISHED, WAITING = "", "wished", "weekly"
"""Sections of the screen beside those of the package."""


@dataclass(frozen=True, slots=True)
class WishLine:
    """A rule that somebody wished for: `missing` says what stands against it, and `waits` that no review has looked."""

    agent: str
    kind: str
    by: str
    at: int
    escalations: tuple[int, ...]
    n: int
    accepted: int
    missing: tuple[str, ...]
    waits: bool

    @property
    def bound(self) -> float | None:
        return lower_bound(self.accepted, self.n)


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A row of the screen: a proposal, a wish or a question that waits for the review. `is_first` of its section."""

    section: str
    is_first: bool
    proposal: ScopeProposalRow | None = None
    wish: WishLine | None = None
    question: WeeklyQuestion | None = None

    @property
    def key(self) -> tuple[str, str]:
        if self.proposal is not None:
            return "proposal", str(self.proposal.id)
        if self.wish is not None:
            return "wish", f"{self.wish.agent}.{self.wish.kind}"
        return "question", str(self.question.id if self.question is not None else "")


@dataclass(frozen=True, slots=True)
class ReviewLines:
    """Every row, the newest review, and how many proposals wait."""

    lines: tuple[ReviewLine, ...]
    review: ScopeReviewRow | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Decider:
    """Who the record is of: the agent's runtime, model and SOP as they are now."""

    runtime: str
    model: str
    sop: str
    is_the_same: bool
    """Whether the proposal's record is that of this very runtime, model and SOP."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A proposal with everything that is shown of it. `limit` says why no record makes its kind autonomous; `files`
    are those that tell of its agent, relative to the workspace where they are inside."""

    row: ScopeProposalRow
    decider: Decider | None
    limit: str | None
    files: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def read_lines(reader: Connection, now: int) -> ReviewLines:
    """Undecided proposals as a package sorts them, then wishes and weekly questions, then what was decided."""
    undecided = reads_governance.scope_proposals(reader, undecided_only=True, limit=MOST_UNDECIDED)
    lines = [
        ReviewLine(section.title, n == 0, proposal=row)
        for section in sections_of(undecided)
        for n, row in enumerate(section.proposals)
    ]
    newest = reads_governance.scope_review(reader)
    lines += [ReviewLine(WISHED, n == 0, wish=found) for n, found in enumerate(_wishes(reader, newest, now))]
    lines += [ReviewLine(WAITING, n == 0, question=asked) for n, asked in enumerate(_weekly(reader, newest))]
    lines += [ReviewLine(DECIDED, n == 0, proposal=row) for n, row in enumerate(_decided(reader))]
    return ReviewLines(tuple(lines), newest, len(undecided))


def _decided(reader: Connection) -> list[ScopeProposalRow]:
    found = [
        row
        for row in reads_governance.scope_proposals(reader, limit=MOST_UNDECIDED)
        if row.decided_at is not None and status(row) != SUPERSEDED
    ]
    return sorted(found, key=lambda row: -(row.undone_at or row.decided_at or 0))[:MOST_DECIDED]


def _wishes(reader: Connection, newest: ScopeReviewRow | None, now: int) -> Iterator[WishLine]:
    """Those that wait for a review, and of the newest review's those that it could not propose."""
    waiting = pending(reader)
    for one in waiting:
        found = shortfall(reader, one.agent, one.kind, now)
        n, accepted = found.record.n, len(found.record.accepted)
        yield WishLine(one.agent, one.kind, one.by, one.at, one.escalations, n, accepted, found.sentences, waits=True)
    asked_anew = {one.key for one in waiting}
    for taken in wishes_of(newest) if newest is not None else ():
        if taken.proposal is None and (taken.agent, taken.kind) not in asked_anew:
            yield WishLine(
                *(taken.agent, taken.kind, taken.by, taken.at, taken.escalations, taken.n, taken.accepted),
                missing=taken.missing,
                waits=False,
            )


def _weekly(reader: Connection, newest: ScopeReviewRow | None) -> list[WeeklyQuestion]:
    """The questions of the newest review that wait still."""
    found = []
    for asked in weekly_of(newest) if newest is not None else ():
        row = reads.escalation(reader, asked.id)
        if row is not None and not any((row.resolved_at, row.withdrawn_at, row.expired_at, row.merged_into)):
            found.append(asked)
    return found


def read_seen(reader: Connection, proposal: int, folder: Path) -> Seen | None:
    row = reads_governance.scope_proposal(reader, proposal)
    if row is None:
        return None
    known = next((kind for kind in authority.kinds(reader, row.agent) if kind.key == row.kind), None)
    files = files_about(roots_of(reader, folder), row.agent)
    return Seen(
        row,
        _decider(reader, row),
        known.limit if known is not None else None,
        tuple(_shown_path(path, folder) for path in files),
        evidence_of(reader, row),
    )


def _decider(reader: Connection, row: ScopeProposalRow) -> Decider | None:
    agent = reads.agent(reader, row.agent)
    if agent is None:
        return None
    return Decider(
        one_line(agent.runtime, 40),
        one_line(agent.model or "", 60),
        agent.sop_digest[:12],
        cohort_of(reader, row.agent) == row.cohort,
    )


def _shown_path(path: Path, folder: Path) -> str:
    root = real(folder)
    return one_line(str(path.relative_to(root) if path.is_relative_to(root) else path), 200)
