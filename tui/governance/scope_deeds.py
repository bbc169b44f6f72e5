"""What a person does to scope proposals, wherever they are shown, and what follows in the generated files.

A yes is written bound to what was shown. The files that tell agents of their authority follow once it is committed.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from core.contract import ApmError
from core.sanitise import one_line
from tui.background import in_background
from tui.text.words import plural
from tui.undoing import Undo

if TYPE_CHECKING:
    from core.governance.authority import Kind, Mode
    from core.governance.scope.effects import Effects
    from core.store.rows_governance import ScopeProposalRow
    from core.store.transaction import Transaction
    from tui.app import ApmApp

Say: TypeAlias = "Callable[[Transaction, ScopeProposalRow], ScopeProposalRow]"
"""Says it of one proposal, inside a write; the proposal as it was."""

MOST_TOLD = 3
"""Files that a notice names."""


def draft_of(word: str, row: ScopeProposalRow) -> str:
    """Under which what a person writes for that word on a proposal is kept, until it is on record."""
    return f"scope:{word}:{row.id}"


def _said(app: ApmApp, draft: str, then: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """What follows once a word is on record."""

    def follow() -> None:
        app.drafts.pop(draft, None)
        then()

    return follow


class Words:
    """A person's word on proposals, all of them or none, as a work for a write; and the work that takes it back."""

    def __init__(self, app: ApmApp, rows: Sequence[ScopeProposalRow], say: Say) -> None:
        self._rows, self._say, self._person = rows, say, app.person
        self._agents = agents_of(rows)
        self._follow = partial(follow_up, app, self._agents)
        self._loop, self._context = asyncio.get_running_loop(), contextvars.copy_context()
        self._left: list[tuple[ScopeProposalRow, ScopeProposalRow]] = []

    def __call__(self, tx: Transaction) -> None:
        from core.store.reads_governance import scope_proposal

        left = []
        for shown in self._rows:
            before, after = self._say(tx, shown), scope_proposal(tx, shown.id)
            assert after is not None
            left.append((before, after))
        self._left = left

    def back(self, tx: Transaction) -> None:
        """They wait again, the last first; the files follow. Raises UsageError when it is too late for that."""
        from core.governance.scope import deciding

        for before, after in reversed(self._left):
            deciding.put_back(tx, before, after, by=self._person)
        # The writer's thread runs this: what it starts on the loop waits there for the commit.
        self._loop.call_soon_threadsafe(self._follow, context=self._context)

    @property
    def undo(self) -> Undo:
        one = len(self._rows) == 1
        what = f"Scope proposal {self._rows[0].id} waits" if one else f"{len(self._rows)} scope proposals wait"
        return Undo(f"{what} for a word again, and authority is what it was.", self.back)


def approve(app: ApmApp, rows: Sequence[ScopeProposalRow], reason: str = "") -> None:
    """Put these in force, all or none of them, and the files after them."""

    def say(tx: Transaction, row: ScopeProposalRow) -> ScopeProposalRow:
        from core.governance.scope import deciding

        return deciding.approve(tx, row.id, by=app.person, reason=reason, shown_digest=row.payload_digest)

    work = Words(app, rows, say)
    done = _approved(rows[0]) if len(rows) == 1 else f"{len(rows)} scope proposals are approved."
    agents = agents_of(rows)
    then = _said(app, draft_of("approve", rows[0]), lambda: follow_up(app, agents))
    app.do(work, done, then, undo=work.undo)


def _approved(row: ScopeProposalRow) -> str:
    became = {"expansion": "autonomous", "contraction": "for a person"}.get(row.change)
    name = f"{one_line(row.agent, 40)}.{one_line(row.kind, 64)}"
    return f"Scope proposal {row.id} is approved" + (f": {name} is {became} from now on." if became else ".")


def reject(app: ApmApp, row: ScopeProposalRow, reason: str) -> None:
    def say(tx: Transaction, row: ScopeProposalRow) -> ScopeProposalRow:
        from core.governance.scope import deciding

        return deciding.reject(tx, row.id, by=app.person, reason=reason, shown_digest=row.payload_digest)

    work = Words(app, [row], say)
    done = f"Scope proposal {row.id} is rejected; the same is not proposed again for four weeks."
    app.do(work, done, _said(app, draft_of("reject", row)), undo=work.undo)


def clarify(app: ApmApp, row: ScopeProposalRow, question: str) -> None:
    def work(tx: Transaction) -> None:
        from core.governance.scope import deciding

        deciding.clarify(tx, row.id, by=app.person, reason=question, shown_digest=row.payload_digest)

    done = f"Scope proposal {row.id} waits with your question; the next review answers with fresh figures."
    app.do(work, done, _said(app, draft_of("clarify", row)))


def take_back(app: ApmApp, row: ScopeProposalRow, reason: str) -> None:
    def work(tx: Transaction) -> None:
        from core.governance.scope import deciding

        deciding.undo(tx, row.id, by=app.person, reason=reason)

    agents = agents_of([row])
    then = _said(app, draft_of("undo", row), lambda: follow_up(app, agents))
    app.do(work, f"The decision on scope proposal {row.id} is taken back.", then)


def asking_draft(kind: Kind) -> str:
    """Under which the reason of a wish for other authority is kept, until it is on record."""
    return f"scope:ask:{kind.agent}.{kind.key}"


def propose(app: ApmApp, kind: Kind, mode: Mode, reason: str, then: Callable[[int], None]) -> None:
    """Ask for a change of authority; `then` gets the proposal's number."""
    made: list[int] = []

    def work(tx: Transaction) -> None:
        from core.governance.scope import asking

        made.append(asking.propose(tx, kind.agent, kind.key, mode, by=app.person, reason=reason))

    app.do(work, "It is proposed; nothing has changed yet.", _said(app, asking_draft(kind), lambda: then(made[-1])))


def hold_review(app: ApmApp) -> None:
    def work(tx: Transaction) -> None:
        from core.governance.scope import review

        review.review(tx, by=app.person)

    app.do(work, "A scope review is held; no authority has changed.")


def agents_of(rows: Sequence[ScopeProposalRow]) -> tuple[str, ...]:
    """Whose authority a yes to these changes."""
    return tuple(dict.fromkeys(row.agent for row in rows if row.change in ("expansion", "contraction")))


def follow_up(app: ApmApp, agents: Sequence[str]) -> None:
    """Bring the generated files to the authority in force, off the event loop, and tell what came of it."""
    if agents:
        in_background(app, _make_anew(app, agents), group="effects")


async def _make_anew(app: ApmApp, agents: Sequence[str]) -> None:
    from core.governance.scope.effects import renew

    # A write behind those before it: when it is done, they are committed.
    await app.bridge.write(lambda tx: None)
    try:
        effects = await asyncio.to_thread(renew, app.workspace.store, app.workspace.folder, agents)
    except (ApmError, OSError) as error:
        app.complain(f"The authority is in force, its generated files are as they were: {error}")
        return
    tell_effects(app, effects)


def tell_effects(app: ApmApp, effects: Effects) -> None:
    if effects.written:
        app.tell(f"Made anew: {_named(effects.written)}")
    if effects.refused:
        said = f"Kept, because the text is not apm's: {_named(effects.refused)}."
        app.complain(f"{said} `apm agents generate --force` writes over it.")
    for fault in effects.faults:
        app.complain(f"A generated file could not be made anew: {fault}")


def _named(paths: Sequence[Any]) -> str:
    names = ", ".join(one_line(path.name, 80) for path in paths[:MOST_TOLD])
    return names if len(paths) <= MOST_TOLD else f"{names} and {plural(len(paths) - MOST_TOLD, 'file')} more"
