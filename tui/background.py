"""Work beside the event loop's own: what it cannot do is said, and never ends the app."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Coroutine
from functools import partial
from typing import Any

from textual.dom import DOMNode
from textual.widget import Widget
from textual.worker import Worker

from core.contract import ApmError

logger = logging.getLogger(__name__)


def in_background(node: DOMNode, work: Coroutine[Any, Any, Any], *, group: str, exclusive: bool = False) -> None:
    """Run it for this node, which takes it along when it goes. `exclusive` ends what runs in the group."""
    told = partial(_told, node, work)
    worker: Worker[None] = node.run_worker(told, group=group, exclusive=exclusive, exit_on_error=False)
    # What is ended before it began is awaited by nobody, and Python would complain of it where the app is left.
    weakref.finalize(worker, work.close).atexit = False


async def _told(node: DOMNode, work: Coroutine[Any, Any, Any]) -> None:
    app: Any = node.app
    try:
        await work
    except ApmError as error:
        app.complain(str(error))
    except Exception as error:
        if isinstance(node, Widget) and is_left(node):
            return
        # A fault of the program; its trace is in the log, and everything else goes on.
        logger.exception("background work failed")
        app.complain(f"That failed. {type(error).__name__}: {error}")


def is_left(widget: Widget) -> bool:
    """Whether the screen around it was left, or the app: a screen then loses its widgets one after the other."""
    if not widget.is_attached or not widget.app.is_running:
        return True
    return not widget.screen.is_running or widget.screen not in widget.app.screen_stack
