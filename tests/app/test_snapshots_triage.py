"""Pictures of the inbox at three sizes, and hostile text in it; `--snapshot-update` draws them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.app.driving import SMALL, USUAL, WIDE, app_of, opened, press, settle
from tests.app.inbox import inbox
from tests.app.seeding import SeededWorkspace
from tests.app.test_hostile import hostile, is_visible

Compare = Callable[..., bool]
SIZES = {"wide": WIDE, "usual": USUAL, "small": SMALL}
NEXT = "right_square_bracket"
STATES = {
    "needs-me": ["t"],
    "overdue": ["t", NEXT, "j"],
    "marks": ["t", "x", "x", "j", "v", "j", "j"],
    "plan": ["t", "asterisk", "a"],
    "reason": ["t", "asterisk", "r", "1", "y"],
    "answered": ["t", *[NEXT] * 6, "j"],
    "sections": ["t", "h", "j", "j"],
    "zero": ["t", "asterisk", "s", "2", "y", "h", "l"],
}


@pytest.fixture
def full(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = inbox(tmp_path)
    yield made
    made.close()


async def reach(pilot: Pilot[Any], state: str) -> None:
    await settle(pilot)
    await press(pilot, *STATES[state])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_the_inbox(full: SeededWorkspace, snap_compare: Compare, state: str, size: str) -> None:
    assert snap_compare(app_of(full), terminal_size=SIZES[size], run_before=lambda pilot: reach(pilot, state))


@pytest.mark.parametrize("state", ["needs-me", "plan"])
def test_light(full: SeededWorkspace, snap_compare: Compare, state: str) -> None:
    app = app_of(full)
    app.theme = "apm-light"
    assert snap_compare(app, terminal_size=WIDE, run_before=lambda pilot: reach(pilot, state))


PLACES = {
    "list": ["t"],
    "preview": ["t", "l"],
    "plan": ["t", "asterisk", "2"],
    "other": ["t", "asterisk", "r"],
    "answered": ["t", "2", *"because", "enter", *[NEXT] * 6],
}


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("place", PLACES)
async def test_hostile_text_is_harmless(empty_workspace: SeededWorkspace, place: str, size: tuple[int, int]) -> None:
    empty_workspace.store.write_now(hostile)
    async with opened(empty_workspace, size) as pilot:
        await press(pilot, *PLACES[place])
        strips = pilot.app.screen._compositor.render_strips()
        written = "".join(segment.text for strip in strips for segment in strip)
        widths = {sum(cell_len(segment.text) for segment in strip) for strip in strips}
    assert [f"{ord(c):x}" for c in written if not is_visible(c)] == []
    assert widths == {size[0]}
