"""That somebody else answers a question is told in the dialog about it, as soon as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tui.bridge import Change
from tui.questions.overtaken import how_it_ended
from tui.screens.dialogs.form import Complaint
from tui.widgets.live import Live

if TYPE_CHECKING:
    from tui.screens.dialogs.dialog import Dialog

KEPT = "What you send goes to state/copied.txt."


class Overtaken(Live, Complaint):
    """Nothing to be seen while the question waits."""

    CONCERNED_BY = ("escalation.",)

    def on_mount(self) -> None:
        self.say("")

    async def read_anew(self, change: Change) -> None:
        dialog = cast("Dialog[object]", self.screen)
        number = dialog.question
        assert number is not None
        told = await self.apm.bridge.read(lambda reader, _, now: how_it_ended(reader, number, now))
        self.say(f"{told} {KEPT}" if told and dialog.draft_key else told)
