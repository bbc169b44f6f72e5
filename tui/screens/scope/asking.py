"""Asking for a change of authority from a screen: which kind, why, and then the proposal that it became."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.governance.authority import AUTONOMOUS, Kind, Mode, kinds
from core.sanitise import one_line
from core.store.reads import Connection
from tui.app import ApmApp
from tui.governance import scope_deeds
from tui.screens.scope.dialogs import KindDialog, WordDialog
from tui.text.words import Line
from tui.widgets.document import Paragraph


async def ask_for_change(
    app: ApmApp, agents: Sequence[str], then: Callable[[int], None], at: tuple[str, str] | None = None
) -> None:
    """`then` gets the number of the proposal; `at` is the agent and kind that the cursor begins on."""
    listed = await app.bridge.read(lambda reader, *_: _kinds(reader, agents))

    def picked(kind: Kind | None) -> None:
        if kind is None:
            return
        mode: Mode = "escalate" if kind.mode == AUTONOMOUS else "autonomous"
        if mode == AUTONOMOUS and kind.limit is not None:
            app.tell(f"{kind.agent}'s {one_line(kind.key, 64)} {kind.limit}; it stays with a person.")
        else:
            app.push_screen(_why(kind, mode), lambda reason: propose(kind, mode, reason))

    def propose(kind: Kind, mode: Mode, reason: str | None) -> None:
        if reason is not None:
            scope_deeds.propose(app, kind, mode, reason, then)

    title = "Whose authority, over what?" if len(agents) > 1 else f"What {agents[0]} may decide"
    app.push_screen(KindDialog(title, listed, at), picked)


def _kinds(reader: Connection, agents: Sequence[str]) -> tuple[Kind, ...]:
    return tuple(kind for agent in agents for kind in kinds(reader, agent))


def _why(kind: Kind, mode: str) -> WordDialog:
    asked, decides = "a person is asked", f"{kind.agent} decides itself"
    now, then = (asked, decides) if mode == AUTONOMOUS else (decides, asked)
    line: Line = (
        (f"{kind.agent}.{one_line(kind.key, 64)}: ", "strong"),
        (now, "text"),
        ("  →  ", "accent"),
        (then, "strong"),
    )
    return WordDialog(
        "Ask for a change of authority",
        [Paragraph(line), Paragraph(((one_line(kind.title, 200), "dim"),))],
        "why",
        "it becomes a proposal with its record; nothing changes before it is approved",
        needed="Say why; it stays on the record.",
        draft_key=scope_deeds.asking_draft(kind),
    )
