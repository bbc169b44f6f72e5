"""What every dialog is: a box over the screen with a title, a body and the keys that work in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from tui.app import ApmApp

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """Subclasses give `title_text` and compose `body`. What it is dismissed with is its answer; None is none."""

    PLACES: ClassVar[tuple[str, ...]] = ()
    PLACES_END = True
    """Keys of what lies behind a dialog do nothing in it."""
    title_text = ""
    question: int | None = None
    """The number of the one question that it is about, where there is one."""
    draft_key = ""
    """Under which the app keeps what is written in it; "" where nothing is."""

    def compose(self) -> ComposeResult:
        box = Vertical(*self.body(), *self._overtaken(), KeyBar(), id="box")
        box.border_title = Content(self.title_text)
        yield box

    def _overtaken(self) -> Iterable[Widget]:
        if self.question is not None:
            from tui.screens.dialogs.overtaken import Overtaken

            yield Overtaken()

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    @property
    def apm(self) -> ApmApp:
        return cast("ApmApp", self.app)

    def on_descendant_focus(self) -> None:
        self.apm.show_keys()

    def on_screen_resume(self) -> None:
        self.apm.show_keys()

    def action_out(self) -> None:
        self.dismiss(None)
