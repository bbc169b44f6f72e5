"""Work items: created from a raw request, accepted, paused, cancelled. Closures for `Store.write`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.contract import Artifact, Json, UsageError, canonical_json
from core.governance.escalations import withdraw_all
from core.governance.persons import named_person
from core.orchestration.artifacts import MOST_BODY, MOST_TITLE, validated
from core.orchestration.outward import held_outside
from core.sanitise import as_written, one_line
from core.store import reads, rows, states
from core.store.schema import Artifact as ArtifactTable
from core.store.schema import WorkItem
from core.store.transaction import Transaction

TYPES = ("feature", "bug", "chore", "spike", "docs")
MOST_TAG = 64


def create(
    tx: Transaction,
    *,
    title: str,
    type: str = "feature",  # noqa: A002 — the word that SPEC and the command line use
    body: str = "",
    project: int | None = None,
    tags: Sequence[str] = (),
    impact: int | None = None,
    origin: str = "human",
    parent: int | None = None,
    about: str = "",
) -> int:
    """A new work item, proposed, with its request.raw; its number. What has the same `about` asks for the same thing.

    Raises UsageError for a title that is empty or above `MOST_TITLE`, a body above `MOST_BODY`, a tag above `MOST_TAG`,
    an unknown type or project, or an impact outside 1 to 10.
    """
    if len(body) > MOST_BODY:
        raise UsageError(
            f"The request's text has {len(body):,} characters; at most {MOST_BODY:,} are taken. Commit what is longer "
            "to the project and name the file in the request."
        )
    request: Json = {
        "title": titled(title),
        "type": type,
        "body": as_written(body, limit=MOST_BODY),
        "tags": [_tagged(tag) for tag in tags],
        "impact": impact,
        **({"about": one_line(about, 64)} if about else {}),
    }
    content = validated("request.raw", request)
    if project is not None and reads.project(tx, project) is None:
        raise UsageError(f"There is no project {project}; `apm project list` shows them.")
    number = tx.insert(
        WorkItem,
        project=project,
        title=content["title"],
        type=type,
        tags=canonical_json(content["tags"]),
        impact=impact,
        origin=origin,
        parent=parent,
        created_at=tx.now,
    )
    store_artifact(tx, number, Artifact("request.raw", content, origin))
    tx.event("work_item.created", work_item=number, origin=origin)
    return number


def titled(text: str) -> str:
    """A title as it is kept: one line, never cut. Raises UsageError for none, and for one above `MOST_TITLE`."""
    title = " ".join(as_written(text, limit=len(text)).split())
    if not title:
        raise UsageError("The work item has no title; say in a few words what shall be different afterwards.")
    if len(title) > MOST_TITLE:
        raise UsageError(
            f"The title has {len(title):,} characters; at most {MOST_TITLE} are taken. Say in a few words what shall "
            "be different afterwards, and all else in the request's text."
        )
    return title


def _tagged(text: str) -> str:
    tag = one_line(text, len(text))
    if len(tag) > MOST_TAG:
        raise UsageError(f"The tag {one_line(tag, 30)!r} has {len(tag):,} characters; at most {MOST_TAG} are taken.")
    return tag


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact as it was stored: its row, and its content as canonical JSON."""

    row: rows.ArtifactRow
    text: str


def store_artifact(tx: Transaction, work_item: int, artifact: Artifact) -> Kept:
    """Keep an artifact. The caller writes the event that carries it."""
    text = artifact.written
    kind, digest, parent, producer = artifact.type, artifact.digest, artifact.parent, artifact.producer
    number = tx.insert(
        ArtifactTable,
        work_item=work_item,
        type=kind,
        digest=digest,
        parent=parent,
        producer=producer,
        content=text,
        at=tx.now,
    )
    return Kept(rows.ArtifactRow(number, work_item, kind, digest, parent, producer, tx.now), text)


def accept(tx: Transaction, work_item: int, by: str) -> None:
    """Let a proposed work item enter the phases. Accepting it again changes nothing.

    Here and below, `by` is a person: raises UsageError for a name that is missing or nobody's.
    """
    facts, person = existing(tx, work_item), named_person(tx, by)
    _refuse_finished(facts)
    if facts.accepted_at is None:
        tx.update(WorkItem, work_item, accepted_at=tx.now)
        tx.event("work_item.accepted", work_item=work_item, by=person)


def cancel(tx: Transaction, work_item: int, by: str) -> str:
    """End it here. Its questions are withdrawn; its branch stays until the engine clears its worktree.

    What its release has done outside stays too: said in the result, in a sentence, and on record.
    """
    facts, person = existing(tx, work_item), named_person(tx, by)
    _refuse_finished(facts)
    withdraw_all(tx, work_item, why=f"work item {work_item} was cancelled by {person}")
    held = held_outside(tx, work_item)
    tx.update(WorkItem, work_item, cancelled_at=tx.now)
    tx.event("work_item.cancelled", work_item=work_item, by=person, **({"outside": held} if held else {}))
    return held


def pause(tx: Transaction, work_item: int, by: str) -> None:
    """Let what runs finish, and start nothing more until it is resumed."""
    facts, person = existing(tx, work_item), named_person(tx, by)
    _refuse_finished(facts)
    if facts.paused_at is None:
        tx.update(WorkItem, work_item, paused_at=tx.now)
        tx.event("work_item.paused", work_item=work_item, by=person)


def resume(tx: Transaction, work_item: int, by: str) -> None:
    """Go on after a pause; without one, past the phase it was to stop after, which a pause does not lift."""
    facts, person = existing(tx, work_item), named_person(tx, by)
    _refuse_finished(facts)
    if facts.paused_at is None and facts.until is None:
        return
    if facts.paused_at is not None:
        tx.update(WorkItem, work_item, paused_at=None)
    else:
        tx.update(WorkItem, work_item, until=None)
    tx.event("work_item.resumed", work_item=work_item, by=person)


def stop_after(tx: Transaction, work_item: int, phase: str | None) -> None:
    """Stop once that phase has passed; None lifts it."""
    facts = existing(tx, work_item)
    if facts.until != phase:
        tx.update(WorkItem, work_item, until=phase)
        tx.event("work_item.limited", work_item=work_item, until=phase)


def existing(tx: reads.Connection, work_item: int) -> rows.WorkItemFactsRow:
    """The facts of a work item; raises UsageError for a number that is none."""
    facts = reads.work_item_facts(tx, work_item)
    if facts is None:
        raise UsageError(f"There is no work item {work_item}; `apm work-item list` shows them.")
    return facts


def _refuse_finished(facts: rows.WorkItemFactsRow) -> None:
    if facts.is_over:
        state = states.work_item_state(facts, questions=0, running=False)
        raise UsageError(f"Work item {facts.id} {states.FINISHED[state]} already; create a new one.")
