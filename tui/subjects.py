"""Opening what something on record is about, by what it is and its number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tui.text.words import plural

if TYPE_CHECKING:
    from core.store.reads import Connection
    from core.store.rows import LiveRow
    from tui.app import ApmApp

Ref = tuple[str, int | str]
"""What it is, as records name it (`escalation`, `work_item`, …), and its number or name."""

_SCREENS: Mapping[str, Callable[[ApmApp, int | str], None]] = {
    "escalation": lambda app, number: app.open_question(int(number)),
    "proposal": lambda app, number: _open_proposal(app, int(number)),
    "review": lambda app, _: app.action_go("scope"),
    "conflict": lambda app, _: app.action_go("conflicts"),
    "briefing": lambda app, _: app.action_go("briefing"),
    "agent": lambda app, role: _open_agent(app, str(role)),
    "work_item": lambda app, number: app.open_work_item(int(number)),
}
"""What says best what something is about comes first."""


def _open_proposal(app: ApmApp, number: int) -> None:
    from tui.screens.scope.screen import ScopeReview

    app.push_screen(ScopeReview(number))


def _open_agent(app: ApmApp, role: str) -> None:
    from tui.screens.team.agents import Agents

    app.push_screen(Agents(role or None))


def open_ref(app: ApmApp, ref: Ref) -> bool:
    """Open it; whether there is a screen for it."""
    name, number = ref
    opens = _SCREENS.get(name)
    if opens is not None:
        opens(app, number)
    return opens is not None


async def open_next_for_me(app: ApmApp) -> None:
    """Open the first question of the queue that needs an answer now, or say that none does."""
    from tui.widgets.queue import waiting_for_me

    waiting = await app.bridge.read(lambda reader, _, now: waiting_for_me(reader, now, app.person))
    if waiting:
        app.open_question(waiting[0])
    else:
        await tell_nothing_waits(app, "Nothing waits for you.")


async def tell_nothing_waits(app: ApmApp, otherwise: str) -> None:
    """While work goes on, its next question may come at any moment: then that is said, and `otherwise` is not."""
    from core.store import reads_team

    going = await app.bridge.read(lambda reader, live, _: _going_on(reader, live))
    unaccepted = (await app.bridge.read(lambda reader, _, __: reads_team.undecided(reader))).work_items
    if going:
        told = f"#{going[0]} goes on" if len(going) == 1 else f"{len(going)} work items go on"
        app.tell(f"{told}; nothing waits for you now.")
    elif unaccepted:
        wait = plural(unaccepted, "work item waits", "work items wait")
        app.tell(f"No question waits; {wait} to be accepted: on the dashboard 2, then a.")
    else:
        app.tell(otherwise)


def _going_on(reader: Connection, live: LiveRow) -> list[int]:
    """The work items that are driven, or will be in a moment."""
    from core.store import reads

    if not live.is_driven:
        return []
    rows = reads.work_items(reader, unfinished_only=True, live=live)
    return [row.id for row in rows if row.state in ("ready", "running") and not row.is_held]


def first_that_opens(refs: Mapping[str, int]) -> Ref | None:
    """Of what an event names: what says best what it is about, and has a screen."""
    return next(((name, refs[name]) for name in _SCREENS if name in refs), None)
