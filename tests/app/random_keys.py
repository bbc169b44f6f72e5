"""The app under keys, moves of the mouse, sizes and news that come by chance, while its readings are slow by chance.

Nothing may end it, nothing may say that it failed, and what was done stands in a journal that is whole and from which
the state is made again. `python -m tests.app.random_keys 100` tries so many seeds; `test_random_keys.py` a few. A seed
gives the same keys each time, and nearly the same turns of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import string
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from textual import events

from core.contract import ApmError
from core.governance import escalations
from core.store.replay import Replayed, replay
from core.store.transaction import Transaction
from tests.app.busy import busy
from tests.app.driving import SMALL, USUAL, WIDE, Driving, app_in, opened, send
from tests.app.inbox import ask, inbox
from tests.app.seeding_scope import scoped
from tui.actions import BY_PLACE
from tui.app import ApmApp

KEYS = 400
WORKSPACES = (busy, inbox, scoped)
SIZES = (WIDE, USUAL, SMALL, (60, 15), (200, 50), (39, 11), (100, 20))
ANY_KEY = (
    *(string.ascii_lowercase + string.digits),
    *("space", "enter", "tab", "shift+tab", "up", "down", "left", "right", "pageup", "pagedown", "home", "end"),
    *("escape", "slash", "colon", "question_mark", "backspace"),
)
MOVES: tuple[tuple[type[events.MouseEvent], ...], ...] = (
    (events.MouseDown, events.MouseUp),
    (events.MouseDown,),
    (events.MouseUp,),
    (events.MouseMove,),
    (events.MouseScrollDown,),
    (events.MouseScrollUp,),
)
FAULTS = ("That failed", "A part of the screen")
"""How the app tells of a fault of the program."""
TRAIL = 25
"""So many of the last keys are told with a fault."""


class Errors(logging.Handler):
    """What the app's own modules log as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.texts.append(f"{record.getMessage()}\n{trace}")


@contextlib.contextmanager
def heard() -> Iterator[Errors]:
    errors, logger = Errors(), logging.getLogger("tui")
    logger.addHandler(errors)
    try:
        yield errors
    finally:
        logger.removeHandler(errors)


async def faults_of(seed: int, folder: Path, keys: int = KEYS) -> list[str]:
    """What went wrong with this seed's keys; empty where nothing did. Raises what ended the app."""
    chance = random.Random(seed)
    made = chance.choice(WORKSPACES)(folder)
    trail: list[str] = []
    try:
        with heard() as errors:
            while len(trail) < keys and not errors.texts:
                engine = Driving() if chance.random() < 0.5 else None
                async with opened(made, chance.choice(SIZES), engine) as pilot:
                    app, slow = app_in(pilot), _slowed(app_in(pilot))
                    while len(trail) < keys and app.is_running and not app._exit and not errors.texts:
                        slow[0] = chance.choice((0, 0, 3, 10, 40))
                        what = chance.random()
                        if what < 0.03:
                            size = chance.choice(SIZES)
                            trail.append(f"{size[0]}x{size[1]}")
                            await pilot.resize_terminal(*size)
                        elif what < 0.08:
                            trail.append("news")
                            await made.store.write(_asked if what < 0.06 else _answered)
                        elif what < 0.2:
                            trail.append(_move(app, chance))
                        else:
                            trail.append(_key(app, chance))
                            send(pilot, trail[-1])
                        for _ in range(chance.choice((0, 1, 2, 5, 20, 60))):
                            await asyncio.sleep(0)
                        errors.texts += [text for text in app.standing() if text.startswith(FAULTS)]
                    await app.typed()
            store = made.store
            errors.texts += _unproven(store.read_now(lambda r: replay(r, store.key, made.state)))
    except Exception as error:
        error.add_note(f"seed {seed}, after {' '.join(trail[-TRAIL:])}")
        raise
    finally:
        made.close()
    return [f"seed {seed}, after {' '.join(trail[-TRAIL:])}: {text}" for text in errors.texts]


def _unproven(found: Replayed) -> list[str]:
    faults = [fault.what for fault in found.audit.faults]
    return faults + [
        f"{each.table} is made again otherwise: {each.differences}" for each in found.tables if not each.is_equal
    ]


def _slowed(app: ApmApp) -> list[int]:
    """What is read comes so many turns of the event loop late as the first of the list says."""
    read, turns = app.bridge.read, [0]

    async def late(work: Callable[..., Any]) -> Any:
        found = await read(work)
        for _ in range(turns[0]):
            await asyncio.sleep(0)
        return found

    app.bridge.read = late  # type: ignore[method-assign]
    return turns


def _key(app: ApmApp, chance: random.Random) -> str:
    """A key of the place where the focus is, or any."""
    places = app.places_here() if app.screen_stack else ()
    bound = [key for place in places for action in BY_PLACE.get(place, ()) for key in action.keys]
    key: str = chance.choice(bound if bound and chance.random() < 0.7 else ANY_KEY)
    return key


def _move(app: ApmApp, chance: random.Random) -> str:
    """The mouse is pressed, turned or moved somewhere, as the terminal would send it."""
    width, height = app.size
    x, y = chance.randrange(width), chance.randrange(height)
    kinds = chance.choice(MOVES)
    for kind in kinds:
        button = 1 if kind in (events.MouseDown, events.MouseUp) else 0
        app.post_message(kind(None, x, y, 0, 0, button, False, False, False, x, y))
    return f"{kinds[0].__name__}({x},{y})"


def _asked(tx: Transaction) -> None:
    ask(tx, f"What of {tx.next_seq}?")


def _answered(tx: Transaction) -> None:
    """Somebody else answers the newest question."""
    rows = tx.sql(
        "SELECT id, recommended FROM escalations WHERE resolved_at IS NULL AND withdrawn_at IS NULL"
        " AND expired_at IS NULL AND merged_into IS NULL ORDER BY id DESC LIMIT 1"
    )
    for number, recommended in rows:
        with contextlib.suppress(ApmError):
            escalations.resolve(tx, number, option=recommended, by="linus")


def main() -> int:
    os.environ["EDITOR"] = os.environ["VISUAL"] = "true"
    seeds = int(sys.argv[1])
    found = 0
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="apm-keys-") as folder:
            for fault in asyncio.run(faults_of(seed, Path(folder) / "workspace")):
                print(fault)
                found += 1
    print(f"{seeds} seeds, {seeds * KEYS:,} keys: {found} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
