"""Keys in the order in which they were typed, each once what the one before did is done.

Textual hands a key to the widget that has the focus when the key arrives, and runs its binding a few messages later.
Of keys that come at once (a fast hand, a slow line, a macro) the second would go to where the first led away from:
`/` and a word would run the list's commands. Here the next key waits until the one before has been handled to its end.
"""

from __future__ import annotations

import asyncio
from collections import deque

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

PATIENCE_SECONDS = 2.0
"""The longest wait for a widget to come to the key: one that is on its way out may never do so."""


class InOrder(App[int]):
    """Mixin of the app."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key | events.Paste] = deque()
        self._typing: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self._typed.append(event)
            if self._typing is None:
                self._typing = asyncio.create_task(self._hand_on())
        else:
            await super().on_event(event)

    async def typed(self) -> None:
        """Return once every key that has come so far is handled."""
        while self._typing is not None:
            await asyncio.wait([self._typing])

    async def _hand_on(self) -> None:
        try:
            while self._typed:
                focused = self.focused or self.screen
                await super().on_event(self._typed.popleft())
                for node in focused.ancestors_with_self:
                    await _passed(node)
                # What a binding asked of the screen, and the focus that follows from it.
                for pump in (self.screen, self, self.screen):
                    await _passed(pump)
        finally:
            self._typing = None


async def _passed(pump: MessagePump) -> None:
    """Return once this pump has handled what it was sent so far."""
    passed = asyncio.Event()
    if pump.is_running and pump.call_later(passed.set):
        try:
            await asyncio.wait_for(passed.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            return
