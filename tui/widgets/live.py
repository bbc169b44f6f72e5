"""Widgets that show the store: they read when they appear, when something changed, and when they come back in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tui.background import is_left
from tui.bridge import Change
from tui.widgets.painted import Painted

DELEGATIONS = frozenset(
    {"delegation.recorded", "delegation.intended", "delegation.turn", "spend.reserved", "spend.settled"}
)
"""By far the most frequent events."""


class Live(Painted):
    """Mixin. `read_anew` is called whenever the store changed while this widget can be seen."""

    _end_reading: Callable[[], None] | None = None
    _is_stale = False
    UNMOVED_BY: ClassVar[frozenset[str]] = frozenset()
    """Kinds of events that change nothing here; under a flood of them this widget rests."""
    CONCERNED_BY: ClassVar[tuple[str, ...] | None] = None
    """How the kinds of events begin that alone may change something here, where that is a short list. What runs at this
    moment does not."""
    FOLLOWS_RUNNING: ClassVar[bool] = False
    """Whether it shows what running agents say of themselves, which changes several times a second."""

    def on_mount(self) -> None:
        self._end_reading = self.apm.bridge.attach(self)

    def on_unmount(self) -> None:
        if self._end_reading is not None:
            self._end_reading()

    @property
    def is_left(self) -> bool:
        return is_left(self)

    async def reload(self, change: Change) -> None:
        if not self.is_attached or not self._concerns(change):
            return
        if self._can_be_seen():
            self._is_stale = False
            await self.read_anew(change)
            if self.is_left:
                return
            refresh_titles = getattr(self.screen, "refresh_titles", None)
            if refresh_titles is not None:
                refresh_titles()
        else:
            self._is_stale = True

    def _concerns(self, change: Change) -> bool:
        if change.told and self.FOLLOWS_RUNNING:
            return True
        if change.everything or self.CONCERNED_BY is None:
            return change.everything or change.live or not change.kinds <= self.UNMOVED_BY
        return any(kind.startswith(self.CONCERNED_BY) for kind in change.kinds)

    async def read_anew(self, change: Change) -> None:
        raise NotImplementedError

    def catch_up(self) -> None:
        """The screen is back: read what was missed."""
        if self._is_stale:
            self.apm.bridge.ask(self)

    def tick(self, now: int) -> None:
        """A second has passed."""

    def _can_be_seen(self) -> bool:
        """On the screen, or behind a dialog."""
        stack = self.app.screen_stack
        return self.screen in stack and all(s.is_modal for s in stack[stack.index(self.screen) + 1 :])
