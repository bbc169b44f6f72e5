"""Rows come, go, move and change in any order: the cursor stays on its row, that row on its line, marks on theirs."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.app.driving import lines_of, tap
from tests.app.windows import Table, Things, change, listed, settled
from tui.widgets.following import finder, follow


@dataclass(frozen=True)
class Insert:
    """New rows before a place."""

    place: int
    number: int


@dataclass(frozen=True)
class Remove:
    place: int
    number: int


@dataclass(frozen=True)
class Shift:
    """Some rows move to another place."""

    place: int
    number: int
    to: int


@dataclass(frozen=True)
class Rename:
    place: int
    title: str


@dataclass(frozen=True)
class Filter:
    text: str


@dataclass(frozen=True)
class Keys:
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Resize:
    height: int


places = st.integers(0, 60)
changes = st.one_of(
    st.builds(Insert, places, st.integers(1, 30)),
    st.builds(Remove, places, st.integers(1, 40)),
    st.builds(Shift, places, st.integers(1, 10), places),
    st.builds(Rename, places, st.sampled_from(("alpha", "beta", "alphabet"))),
    st.builds(Filter, st.sampled_from(("", "alpha", "!alpha", "1", "beta"))),
)
deeds = st.one_of(
    st.builds(
        Keys,
        st.lists(
            st.sampled_from(("j", "k", "g", "G", "ctrl+d", "ctrl+u", "x", "v", "asterisk", "minus", "escape")),
            min_size=1,
            max_size=4,
        ).map(tuple),
    ),
    st.builds(Resize, st.integers(4, 30)),
)


def applied(table: Table, done: Any, fresh: int) -> None:
    keys = list(table.keys)
    if isinstance(done, Insert):
        keys[done.place : done.place] = range(fresh, fresh + done.number)
    elif isinstance(done, Remove):
        del keys[done.place : done.place + done.number]
    elif isinstance(done, Shift):
        some = keys[done.place : done.place + done.number]
        del keys[done.place : done.place + done.number]
        keys[done.to : done.to] = some
    elif isinstance(done, Rename) and done.place < len(keys):
        table.titles[keys[done.place]] = done.title
    table.keys = keys


def expected_order(table: Table, text: str) -> list[int]:
    wanted = [w for w in text.split() if not w.startswith("!")]
    refused = [w[1:] for w in text.split() if w.startswith("!")]
    titles = {key: table.title(key) for key in table.keys}
    return [
        key
        for key in table.keys
        if all(w in titles[key] for w in wanted) and not any(w in titles[key] for w in refused)
    ]


def expected_cursor(before: Sequence[int], cursor: int, after: Sequence[int]) -> int | None:
    """The key that the cursor is on: its own, else the next one that is left, else the one before."""
    left = set(after)
    return next((key for key in (*before[cursor:], *reversed(before[:cursor])) if key in left), None)


def check_drawn(rows: Things, table: Table) -> None:
    top = rows.scroll_offset.y
    expected = [
        f"{'▌' if n == rows.cursor else ' '}{'●' if rows.is_marked(n) else ' '} {key:>7} {table.title(key)}"
        for n, key in enumerate(rows.keys[top : top + rows.size.height - 1], top)
    ]
    if expected:
        assert [line for line in list(lines_of(rows))[1:] if line] == expected
    else:
        assert rows.row is None


async def lead_through(folder: Path, steps: Sequence[Any]) -> None:
    table = Table(list(range(40)))
    async with listed(folder, table) as (app, pilot):
        rows = app.things
        for number, step in enumerate(steps, 1):
            before, cursor, marks = list(rows.keys), rows.cursor, rows.marked
            line, height = rows.cursor - rows.scroll_offset.y, rows.size.height - 1
            if isinstance(step, Keys):
                await tap(pilot, *step.keys)
                await settled(app, pilot)
            elif isinstance(step, Resize):
                await pilot.resize_terminal(40, step.height)
                await settled(app, pilot)
            else:
                if isinstance(step, Filter):
                    rows.set_filter(step.text)
                    await settled(app, pilot)
                else:
                    applied(table, step, number * 1_000)
                    await change(app, pilot)
                assert rows.marked <= marks or rows._anchor is not None
                if before:
                    assert rows.count == 0 or rows.key_at(rows.cursor) == expected_cursor(before, cursor, rows.keys)
                    furthest = max(rows.count - height, 0)
                    top = min(max(rows.cursor - line, 0), furthest)
                    assert not rows.count or rows.scroll_offset.y == top
            assert list(rows.keys) == expected_order(table, rows.filter_text)
            assert rows.marked <= set(rows.keys)
            assert not rows.count or 0 <= rows.cursor - rows.scroll_offset.y < max(rows.size.height - 1, 1)
            check_drawn(rows, table)


# Without shrinking: each example opens an app, and what fails is a short list of steps as it is.
@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=st.lists(st.one_of(changes, changes, deeds), min_size=3, max_size=14))
def test_whatever_happens_to_the_rows_the_cursor_stays_on_its_row_and_that_row_on_its_line(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(lead_through(Path(folder), steps))


# Following, by itself


@given(
    before=st.lists(st.integers(0, 20), unique=True, min_size=1),
    after=st.lists(st.integers(0, 20), unique=True),
    data=st.data(),
)
def test_a_row_is_followed_to_itself_or_to_its_nearest_neighbour(
    before: list[int], after: list[int], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(before) - 1))
    found = follow(before.__getitem__, len(before), row, finder(after))
    expected = expected_cursor(before, row, after)
    assert found == (0 if expected is None else after.index(expected))


@pytest.mark.parametrize("keys", [range(5, 50_000), list(range(50_000))])
def test_every_key_of_an_order_is_found(keys: Sequence[int]) -> None:
    find = finder(keys)
    assert all(find(keys[n]) == n for n in range(0, len(keys), 999))
    assert [find(key) for key in (-1, 50_000, "x", None)] == [None] * 4
