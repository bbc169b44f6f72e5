"""Keys in the order in which they were typed, each once what the one before did is done.

Textual hands a key to the widget that has the focus when the key arrives, and runs its binding a few messages later.
Of keys that come at once (a fast hand, a slow line, a macro) the second would go to where the first led away from:
`/` and a word would run the list's commands. Here the next key waits until the one before has been handled to its end.

A terminal tells a key that is held down from one that is pressed again by nothing but the time between. What one press
does to one thing (it answers a question) asks `is_held`, and calls `meant` when it is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from textual import events
from textual.actions import ActionParseResult
from textual.app import App
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.screen import Screen

PATIENCE_SECONDS = 2.0
"""The longest wait for a widget to come to the key: one that is on its way out may never do so."""
AGAIN_SECONDS = 0.4
"""The same key once more, and sooner, is held down: nobody reads a question and answers it in less."""
DELAY_SECONDS = 1.0
"""The longest that a keyboard waits before a key that is held down begins to repeat; half of that is usual."""
REPEAT_SECONDS = 0.12
"""The longest from one repeat to the next: the slowest keyboards send nine a second."""


@dataclass(slots=True)
class _Press:
    """The key that came last, and when."""

    key: str = ""
    at: float = 0.0
    was_meant: bool = False
    """It, or the first press since which it is held, has done what is done once a press."""


class InOrder(App[int]):
    """Mixin of the app."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key | events.Paste] = deque()
        self._typing: asyncio.Task[None] | None = None
        self._come = asyncio.Event()
        self._last = _Press()
        self.is_held = False
        """The key that is handled at this moment was not let go of since the press before."""

    def meant(self) -> None:
        """The key that came last has done something that nobody means twice by holding it down."""
        self._last.was_meant = True

    @property
    def takes_keys(self) -> bool:
        """Not any more once the app has ended: what a key opens then gets no widgets."""
        return bool(self.screen_stack)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._typed.append(event)
            self._come.set()
            if self._typing is None:
                self._typing = asyncio.create_task(self._hand_on())
        elif not (isinstance(event, events.MouseDown) and self._is_gone(event.x, event.y)):
            await super().on_event(event)

    def _is_gone(self, x: int, y: int) -> bool:
        """Whether what was drawn there is there no more (a notice, a filter): Textual begins a selection in it."""
        widget = self.screen.get_widget_and_offset_at(x, y)[0] if self.screen_stack else None
        return widget is not None and widget.parent is None

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """A screen that came up while the key was on its way has no widgets yet: the key meant another."""
        if isinstance(default_namespace, Screen) and not default_namespace.is_mounted:
            return True
        return await super().run_action(action, default_namespace, namespaces)

    async def typed(self) -> None:
        """Return once every key that has come so far is handled."""
        while self._typing is not None:
            await asyncio.wait([self._typing])

    async def put_together(self) -> None:
        """Return once every screen that came up has its widgets: Textual gives them none when the app ends first."""
        for screen in self.screen_stack:
            if not screen.is_mounted:
                await _reached(screen)

    async def _hand_on(self) -> None:
        try:
            while self._typed and self.takes_keys:
                event = self._typed.popleft()
                self.is_held = await self._repeats(event)
                if not self.takes_keys:
                    return
                focused = self.focused or self.screen
                await super().on_event(event)
                for node in focused.ancestors_with_self:
                    await _passed(node)
                # What a binding asked of the screen, and the focus that follows from it.
                for pump in (*self.screen_stack[-1:], self, *self.screen_stack[-1:]):
                    await _passed(pump)
                self.is_held = False
        finally:
            self._typed.clear()
            self._typing, self.is_held = None, False

    async def _repeats(self, event: events.Key | events.Paste) -> bool:
        """Whether the key is held down since its last press. What is pasted, and any other key, lets go of it."""
        before, self._last = self._last, _Press(getattr(event, "key", ""), event.time)
        if not before.key or before.key != self._last.key:
            return False
        since = event.time - before.at
        is_held = since < AGAIN_SECONDS or (
            # A keyboard's first repeat comes as late as a second press would: the next one tells.
            before.was_meant and since < DELAY_SECONDS and await self._comes_again(self._last)
        )
        self._last.was_meant = is_held and before.was_meant
        return is_held

    async def _comes_again(self, press: _Press) -> bool:
        if not self._typed:
            self._come.clear()
            try:
                async with asyncio.timeout(REPEAT_SECONDS):
                    await self._come.wait()
            except TimeoutError:
                return False
        following = self._typed[0]
        return (
            isinstance(following, events.Key)
            and following.key == press.key
            and following.time - press.at < REPEAT_SECONDS
        )


async def _passed(pump: MessagePump) -> None:
    """Return once this pump has handled what it was sent so far."""
    if pump.is_running:
        await _reached(pump)


async def _reached(pump: MessagePump) -> None:
    passed = asyncio.Event()
    if pump.call_later(passed.set):
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await passed.wait()
        except TimeoutError:
            return
