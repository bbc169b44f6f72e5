"""What a person does is written here: one deed after the other, each told once it is on record, or why it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from core.contract import ApmError
from tui.background import in_background
from tui.notices import Notices
from tui.undoing import Undo, UndoStack, for_good

if TYPE_CHECKING:
    from core.store.transaction import Transaction
    from tui.bridge import Bridge

WAITS = "That waits to be written already: one press is enough."
Refused = Callable[[], Coroutine[Any, Any, None]]


class Writing(Notices):
    """Mixin of the app."""

    bridge: Bridge

    def __init__(self) -> None:
        super().__init__()
        self.undo = UndoStack()
        self._one_deed = asyncio.Lock()
        self._being_written: set[str] = set()

    def do(
        self,
        work: Callable[[Transaction], Any],
        done: str,
        then: Callable[[], None] | None = None,
        *,
        undo: Undo | None = None,
        refused: Refused | None = None,
        once: str = "",
    ) -> None:
        """Write, then say so and go on; or say why not, and see to what was `refused`.

        What has an `undo` can be taken back with `u`. While something of the name `once` waits to be written, another
        of that name is not.
        """
        if once in self._being_written:
            self.tell(WAITS)
            return
        if once:
            self._being_written.add(once)
        in_background(self, self._do(work, done, then, undo, refused, once), group="writes")

    async def _do(
        self,
        work: Callable[[Transaction], Any],
        done: str,
        then: Callable[[], None] | None,
        undo: Undo | None,
        refused: Refused | None,
        once: str,
    ) -> None:
        async with self._one_deed:
            try:
                await self.bridge.write(work)
            except ApmError as error:
                self.complain(str(error))
                if refused is not None:
                    await refused()
                return
            except Exception as error:
                # A fault of the program: what was asked for is not done, and everything else goes on.
                self.complain(f"That failed, and nothing was changed. {type(error).__name__}: {error}")
                return
            finally:
                self._being_written.discard(once)
            self.undo.push(undo or for_good(done))
        self.tell(done)
        if then is not None:
            then()
