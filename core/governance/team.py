"""The team is brought in from its files: agents, kinds, first authorities, and what a person granted is not undone.

The files speak for an authority that nobody else has given. Where they come to say something else than what a person
or a review granted, the grant stays in force and one question asks which of the two holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.contract import Json
from core.governance import authority
from core.governance.escalations import Option, Question, raise_question, withdraw
from core.governance.settling import DETAIL, FOLLOW, KEEP
from core.registry import changes as registry
from core.registry import importing
from core.registry.changes import Changes, Contradiction
from core.sanitise import one_line
from core.store import reads, reads_escalations
from core.store.transaction import Transaction

if TYPE_CHECKING:
    from core.registry.catalog import Catalog

MOST_OPEN = 10_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed, and the questions that it raised. Not `is_new`: these files had been imported already."""

    changes: Changes = field(default_factory=Changes)
    questions: tuple[int, ...] = ()
    is_new: bool = True


def import_catalog(tx: Transaction, catalog: Catalog) -> Imported:
    """Bring the database to what the catalog says, and say what that changed. The same files again change nothing."""
    if importing.read_memory(tx).get("digest") == catalog.digest:
        return Imported(is_new=False)
    found = registry.changes(importing.read_known(tx), catalog)
    importing.apply(tx, found)
    for given in found.authority:
        authority.record(tx, given.agent, given.kind, given.new, by=registry.BY_FILE, reason=given.reason)
    importing.remember(tx, catalog)
    if found.is_empty:
        tx.event("setting.changed", key=importing.MEMORY)
    else:
        tx.event("agents.imported", digest=catalog.digest, **_summary(found))
    _withdraw_settled(tx, found)
    return Imported(found, tuple(raise_question(tx, question_about(c)) for c in found.contradictions))


def open_questions(reader: reads.Connection, found: Changes) -> tuple[int, ...]:
    """The questions that wait about these contradictions, whoever raised them."""
    asked = {(c.agent, c.kind) for c in found.contradictions}
    waiting = ((row.id, row.details.get(DETAIL)) for row in reads_escalations.escalations(reader, limit=MOST_OPEN))
    return tuple(number for number, about in waiting if about and (about["agent"], about["kind"]) in asked)


def _summary(found: Changes) -> Json:
    """The facts of the import's event: who and what changed; the values stand in the rows that it carries."""
    return {
        **{what: [a.role for a in found.of(what)] for what in ("added", "inactive", "back")},
        "changed": {a.role: list(a.keys) for a in found.of("changed")},
        "kinds": [f"{k.what} {k.agent}.{k.kind}" for k in found.kinds],
        "authority": [f"{a.agent}.{a.kind} {a.new}" for a in found.authority if a.old is not None],
        "contradicted": [f"{c.agent}.{c.kind}" for c in found.contradictions],
        "sections": [s.place for s in found.sections],
    }


def _withdraw_settled(tx: Transaction, found: Changes) -> None:
    """Questions about grants that the files agree with again."""
    for row in reads_escalations.escalations(tx, limit=MOST_OPEN):
        asked = row.details.get(DETAIL) if row.kind == "scope" else None
        if asked and (asked["agent"], asked["kind"]) not in found.standing:
            withdraw(tx, row.id, why="the files and the authority in force agree again")


_SAYS: Mapping[str, str] = {
    registry.AUTONOMOUS: "lists it as autonomous",
    registry.ESCALATE: "lists it as one to escalate",
    registry.CEILING: "gives it a ceiling, so it escalates at once",
    registry.ABSENT: "no longer names it",
}


def question_about(found: Contradiction) -> Question:
    """Which holds: what somebody granted, or what the files say now."""
    grant, mode = found.grant, registry.mode_of(found.says)
    who, why = one_line(grant.by, 60), one_line(grant.reason, 120)
    name = f"{found.agent}'s authority over {found.kind} ({one_line(found.title, 80)})"
    stays = (
        f"The ceiling holds, so it escalates; the grant of {who} takes effect again once the ceiling is lifted."
        if found.says == registry.CEILING
        else f"The grant of {who} stays in force: {grant.mode}. It is not asked again until the files change on this."
    )
    gone = ", and the kind is taken off the list" if found.says == registry.ABSENT else ""
    return Question(
        kind="scope",
        subject={"authority": [found.agent, found.kind]},
        question=f"{name} was made {grant.mode} by {who}; agents.yaml now {_SAYS[found.says]}. Which holds?",
        urgency="DAILY",
        options=(
            Option(KEEP, "Keep the grant", stays),
            Option(FOLLOW, "Follow the file", f"From now on it is {mode}, on your word{gone}."),
        ),
        recommended=KEEP,
        chain=(found.agent,),
        details={
            DETAIL: {
                "agent": found.agent,
                "kind": found.kind,
                "grant": grant.id,
                "granted": grant.mode,
                "by": who,
                "reason": why,
                "says": found.says,
                "mode": mode,
            }
        },
    )
