from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from tests.app.driving import lines_of
from tui.widgets.row_list import Column, RowList
from tui.words import Line

Row = tuple[int, str]


class ListApp(App[None]):
    """A list of numbered rows and nothing else."""

    CSS = "RowList { height: 1fr; }"

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self._given = rows
        self.formatted = 0
        self.opened: list[Row] = []

    def compose(self) -> ComposeResult:
        yield RowList[Row](
            (Column("#", 7, right=True), Column("title")),
            key=lambda row: row[0],
            cells=self._cells,
            empty=((("Nothing here.", "dim"),),),
        )

    def on_mount(self) -> None:
        rows = self.rows
        rows.set_rows(self._given)
        rows.focus()

    @property
    def rows(self) -> RowList[Row]:
        return self.query_one(RowList)

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        self.opened.append(message.row)

    def _cells(self, row: Row) -> tuple[Line, Line]:
        self.formatted += 1
        return ((str(row[0]), "dim"),), ((row[1], "text"),)


def numbered(*numbers: int) -> list[Row]:
    return [(n, f"title {n}") for n in numbers]


def at(pilot: Pilot[None]) -> tuple[int, int]:
    """The key under the cursor, and the line of the screen it is on."""
    rows = pilot.app.query_one(RowList)
    assert rows.row is not None
    return rows.row[0], rows.cursor - rows.scroll_offset.y


class Million(Sequence[Row]):
    """A million rows that are made when they are asked for."""

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, n: Any) -> Any:
        return (n, f"title {n}")


async def test_only_rows_in_sight_are_formatted() -> None:
    app = ListApp(Million())
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("G")
        assert at(pilot)[0] == 999_999
        assert app.formatted < 100


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["j"], 1),
        (["down", "down"], 2),
        (["G"], 49),
        (["end", "k"], 48),
        (["G", "g"], 0),
        (["ctrl+d"], 5),
        (["ctrl+d", "ctrl+u"], 0),
        (["pagedown"], 11),
        (["pagedown", "pageup"], 0),
        (["k"], 0),
        (["G", "j"], 49),
    ],
)
async def test_moving(keys: list[str], cursor: int) -> None:
    async with ListApp(numbered(*range(50))).run_test(size=(40, 12)) as pilot:
        await pilot.press(*keys)
        assert at(pilot)[0] == cursor


async def test_the_row_under_the_cursor_stays_under_it_on_its_line_when_rows_come_before_it() -> None:
    app = ListApp(numbered(*range(100)))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press(*["j"] * 30)
        before = at(pilot)
        app.rows.set_rows(numbered(*range(-20, 100)))
        await pilot.pause()
        assert at(pilot) == before
        app.rows.set_rows(numbered(*range(10, 100)))
        await pilot.pause()
        assert at(pilot) == before


async def test_when_the_row_goes_its_neighbour_takes_its_place() -> None:
    app = ListApp(numbered(1, 2, 3))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("j")
        app.rows.set_rows(numbered(1, 3))
        assert at(pilot)[0] == 3
        app.rows.set_rows(())
        assert app.rows.row is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", [1, 2, 3]),
        ("BETA", [2, 3]),
        ("beta gamma", [3]),
        ("!gamma", [1, 2]),
        ("beta !gamma", [2]),
        ("!", [1, 2, 3]),
    ],
)
async def test_a_filter_wants_every_word_and_refuses_those_after_an_exclamation_mark(
    text: str, kept: list[int]
) -> None:
    app = ListApp([(1, "alpha"), (2, "Beta"), (3, "beta Gamma")])
    async with app.run_test(size=(40, 12)):
        app.rows.set_filter(text)
        assert [row[0] for row in app.rows.rows] == kept


async def test_a_filter_keeps_the_cursor_on_its_row() -> None:
    app = ListApp([(1, "alpha"), (2, "beta"), (3, "beta")])
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("G")
        app.rows.set_filter("beta")
        assert at(pilot)[0] == 3
        app.rows.set_filter("")
        assert at(pilot)[0] == 3


async def test_an_empty_list_says_what_it_is_and_a_filter_that_finds_nothing_says_how_to_drop_it() -> None:
    app = ListApp(())
    async with app.run_test(size=(40, 12)) as pilot:
        assert "Nothing here." in "\n".join(lines_of(app.rows))
        app.rows.set_rows(numbered(1))
        app.rows.set_filter("zzz")
        await pilot.pause()
        assert "esc" in "\n".join(lines_of(app.rows))


async def test_every_line_is_as_wide_as_the_list_whatever_it_holds() -> None:
    app = ListApp([(1, "日本語" * 40), (2, "é" * 100), (3, "")])
    async with app.run_test(size=(33, 12)) as pilot:
        await pilot.pause()
        assert {app.rows.render_line(y).cell_length for y in range(app.rows.size.height)} == {33}


async def test_the_mouse_moves_the_cursor_and_a_double_click_opens() -> None:
    app = ListApp(numbered(1, 2, 3))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.click(RowList, offset=(5, 3))
        assert at(pilot)[0] == 3
        await pilot.click(RowList, offset=(5, 0))
        assert at(pilot)[0] == 3
        await pilot.click(RowList, offset=(5, 2), times=2)
        assert app.opened == [(2, "title 2")]


async def test_the_wheel_scrolls_without_moving_the_cursor() -> None:
    app = ListApp(numbered(*range(100)))
    async with app.run_test(size=(40, 12)) as pilot:
        app.rows.post_message(MouseScrollDown(app.rows, 5, 5, 0, 1, 0, False, False, False, 5, 5))
        await pilot.pause()
        assert app.rows.scroll_offset.y > 0
        assert app.rows.cursor == 0
