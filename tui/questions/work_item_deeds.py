"""What a person does to a work item, wherever it is shown: the same keys, the same checks, one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.sanitise import one_line
from core.store.states import FINISHED
from tui.actions.work import GO_ON
from tui.background import in_background
from tui.questions.answering import app_of
from tui.undoing import Undo

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from core.store.rows import WorkItemRow

    _Node = DOMNode
else:
    _Node = object


class WorkItemDeeds(_Node):
    """Mixin of a widget or screen that says which work item is in hand: pausing, accepting and cancelling that."""

    def work_item_in_hand(self) -> WorkItemRow | None:
        raise NotImplementedError

    def applies(self, action_id: str) -> bool | str:
        """Whether an action makes sense for the work item in hand; else why not."""
        item, name = self.work_item_in_hand(), action_id.partition(".")[2]
        if item is None or not action_id.startswith(("work.", "work_item.")):
            return True
        if name == "accept" and item.state != "proposed":
            return f"only a proposed work item is accepted; this one {FINISHED.get(item.state, f'is {item.state}')}"
        return (name in ("pause", "cancel") and _over(item)) or True

    def called(self, action_id: str) -> tuple[str, str] | None:
        """What an action is called for the work item in hand, where that is not the usual."""
        item = self.work_item_in_hand()
        is_held = item is not None and item.is_held and not item.facts.is_over
        return GO_ON if is_held and action_id in ("work.pause", "work_item.pause") else None

    def action_pause(self) -> None:
        item = self.work_item_in_hand()
        if item is None or self._is_over(item):
            return
        paused = item.is_held
        app = app_of(self)

        def switched(to_paused: bool) -> Callable[[Any], None]:
            def work(tx: Any) -> None:
                from core.orchestration import work_items

                (work_items.pause if to_paused else work_items.resume)(tx, item.id, by=app.person)

            return work

        told = ("goes on", "is paused; what runs is finished first")
        undo = Undo(f"Work item {item.id} {told[paused]}.", switched(paused))
        app.do(switched(not paused), f"Work item {item.id} {told[not paused]}.", undo=undo)

    def action_accept(self) -> None:
        item = self.work_item_in_hand()
        if item is None:
            return
        app = app_of(self)
        if item.state != "proposed":
            app.tell(f"Work item {item.id} is {item.state}; only a proposed one can be accepted.")
            return

        def work(tx: Any) -> None:
            from core.orchestration import work_items

            work_items.accept(tx, item.id, by=app.person)

        held = "; it stays paused until p resumes it" if item.facts.paused_at is not None else ""
        app.do(work, f"Work item {item.id} is accepted{held}.")

    def action_cancel(self) -> None:
        item = self.work_item_in_hand()
        if item is not None and not self._is_over(item):
            in_background(app_of(self), self._ask_to_cancel(item), group="asking")

    def _is_over(self, item: WorkItemRow) -> bool:
        """Whether nothing is left of it to pause or to cancel, which is said."""
        if over := _over(item):
            app_of(self).tell(f"Work item {item.id}: {over}.")
        return bool(over)

    async def _ask_to_cancel(self, item: WorkItemRow) -> None:
        from core.orchestration.outward import held_outside
        from tui.screens.dialogs.choice import ConfirmDialog

        app = app_of(self)
        held = await app.bridge.read(lambda reader, _, __: held_outside(reader, item.id))

        def work(tx: Any) -> None:
            from core.orchestration import work_items

            work_items.cancel(tx, item.id, by=app.person)

        def confirmed(yes: bool | None) -> None:
            if yes:
                app.do(work, f"Work item {item.id} is cancelled. {held}".rstrip())

        title = f"Cancel work item {item.id}?"
        begun = item.facts.accepted_at is not None
        kept = "its worktree is removed, its branch and its record stay" if begun else "its record stays"
        text = f"{one_line(item.title, 80)}: {kept}. {held}".rstrip()
        app.push_screen(ConfirmDialog(title, text, "Cancel it", "Keep it"), confirmed)


def _over(item: WorkItemRow) -> str:
    """Why a work item can be neither paused nor cancelled; empty where it can."""
    return f"it {FINISHED[item.state]}, and nothing of it runs any more" if item.facts.is_over else ""
