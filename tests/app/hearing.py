"""What a pane heard of the store: the changes that made it read."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from core.store.transaction import Transaction
from tests.app.driving import settle
from tests.app.seeding import SeededWorkspace
from tui.bridge import Change
from tui.widgets.live import Live


def heard_by(pane: type[Live], monkeypatch: pytest.MonkeyPatch) -> list[Change]:
    """The changes that made panes of this class read, from now on. Now and then the store is looked at as a whole."""
    heard: list[Change] = []
    read_anew = pane.read_anew

    async def noting(self: Live, change: Change) -> None:
        heard.append(change)
        await read_anew(self, change)

    monkeypatch.setattr(pane, "read_anew", noting)
    return heard


async def tell(pilot: Any, place: SeededWorkspace, *kinds: str) -> None:
    """Events of these kinds, each committed by itself, and all of them shown."""
    for kind in kinds:
        place.store.write_now(partial(_event, kind))
    await settle(pilot)


def _event(kind: str, tx: Transaction) -> None:
    tx.event(kind, work_item=1)
