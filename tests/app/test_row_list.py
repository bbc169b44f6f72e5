from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from tests.app.driving import lines_of, tap
from tui.actions import bindings
from tui.text.words import Line
from tui.widgets.columns import Column
from tui.widgets.row_list import RowList

Row = tuple[int, str]


class Markable(RowList[Row]):
    """A list whose rows can be marked."""

    PLACES: ClassVar[tuple[str, ...]] = ("marks", "list")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("marks")]
    MARKS = True


class ListApp(App[None]):
    """A list of numbered rows and nothing else."""

    CSS = "RowList { height: 1fr; overflow-x: hidden; scrollbar-size: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "out")]
    KIND: type[RowList[Row]] = RowList

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self.outs = 0
        self.told: list[frozenset[Any]] = []
        self._given = rows
        self.formatted = 0
        self.opened: list[Row] = []

    def compose(self) -> ComposeResult:
        yield self.KIND(
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

    def on_row_list_marked(self, message: RowList.Marked) -> None:
        self.told.append(message.rows.marked)

    def action_out(self) -> None:
        self.outs += 1

    def _cells(self, row: Row) -> tuple[Line, Line]:
        self.formatted += 1
        return ((str(row[0]), "dim"),), ((row[1], "text"),)


class MarksApp(ListApp):
    KIND = Markable


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
        await tap(pilot, "G")
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
        await tap(pilot, *keys)
        assert at(pilot)[0] == cursor


async def test_the_row_under_the_cursor_stays_under_it_on_its_line_when_rows_come_before_it() -> None:
    app = ListApp(numbered(*range(100)))
    async with app.run_test(size=(40, 12)) as pilot:
        await tap(pilot, *["j"] * 30)
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
        await tap(pilot, "j")
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
        await tap(pilot, "G")
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


# Marks


def marked(app: ListApp) -> list[Any]:
    keys: frozenset[Any] = app.rows.marked
    return sorted(keys)


@pytest.mark.parametrize(
    ("keys", "expected", "cursor"),
    [
        (["x"], [0], 1),
        (["x", "x"], [0, 1], 2),
        (["x", "k", "x"], [], 1),
        (["G", "x"], [9], 9),
        (["v"], [0], 0),
        (["v", "j", "j"], [0, 1, 2], 2),
        (["v", "j", "j", "k"], [0, 1], 1),
        (["j", "j", "v", "k", "k"], [0, 1, 2], 0),
        (["v", "j", "v", "j"], [0, 1], 2),
        (["v", "j", "x", "j"], [0, 1], 2),
        (["x", "j", "j", "v", "j", "v"], [0, 3, 4], 4),
        (["asterisk"], list(range(10)), 0),
        (["x", "minus"], list(range(1, 10)), 1),
        (["v", "j", "minus", "G"], list(range(2, 10)), 9),
        (["asterisk", "x"], list(range(1, 10)), 1),
    ],
)
async def test_marking(keys: list[str], expected: list[int], cursor: int) -> None:
    app = MarksApp(numbered(*range(10)))
    async with app.run_test(size=(40, 20)) as pilot:
        await tap(pilot, *keys)
        assert (marked(app), app.rows.cursor) == (expected, cursor)
        assert app.told[-1] == app.rows.marked


async def test_what_is_in_hand_is_what_is_marked_in_the_lists_order_else_the_row_under_the_cursor() -> None:
    app = MarksApp(numbered(5, 3, 9, 1))
    async with app.run_test(size=(40, 12)) as pilot:
        assert app.rows.in_hand() == (5,)
        await tap(pilot, "G", "x", "g", "j", "x")
        assert app.rows.in_hand() == (3, 1)
        app.rows.set_rows(())
        assert app.rows.in_hand() == ()


async def test_a_mark_is_a_glyph_before_the_row_and_the_columns_stay_where_they_are() -> None:
    app = MarksApp(numbered(1, 2))
    async with app.run_test(size=(40, 12)) as pilot:
        before = [line[3:] for line in lines_of(app.rows)[:3]]
        await tap(pilot, "x")
        drawn = lines_of(app.rows)[:3]
        assert [line[:3] for line in drawn] == ["   ", " ● ", "▌  "]
        assert [line[3:] for line in drawn] == before


async def test_escape_takes_the_marks_away_and_without_marks_means_what_it_means_around_the_list() -> None:
    app = MarksApp(numbered(1, 2))
    async with app.run_test(size=(40, 12)) as pilot:
        await tap(pilot, "x", "v", "escape")
        assert (marked(app), app.outs) == ([], 0)
        await tap(pilot, "escape")
        assert app.outs == 1


async def test_marks_stay_on_their_rows_and_go_with_them() -> None:
    app = MarksApp(numbered(1, 2, 3, 4))
    async with app.run_test(size=(40, 12)) as pilot:
        await tap(pilot, "x", "x", "x")
        app.rows.set_rows(numbered(7, 3, 1, 4))
        assert marked(app) == [1, 3]
        app.rows.set_rows(numbered(1, 2, 3, 4))
        assert marked(app) == [1, 3], "a row that comes back has no mark"


async def test_a_range_goes_on_from_its_anchor_when_rows_come_and_is_fixed_when_the_anchor_goes() -> None:
    app = MarksApp(numbered(1, 2, 3, 4))
    async with app.run_test(size=(40, 12)) as pilot:
        await tap(pilot, "j", "v", "j")
        app.rows.set_rows(numbered(9, 1, 2, 3, 4))
        assert marked(app) == [2, 3]
        await tap(pilot, "j")
        assert marked(app) == [2, 3, 4]
        app.rows.set_rows(numbered(9, 1, 3, 4))
        await tap(pilot, "g")
        assert marked(app) == [3, 4]


async def test_what_the_filter_hides_is_marked_no_more() -> None:
    app = MarksApp([(1, "alpha"), (2, "beta"), (3, "alphabet")])
    async with app.run_test(size=(40, 12)) as pilot:
        app.rows.set_filter("alpha")
        await tap(pilot, "asterisk")
        assert marked(app) == [1, 3]
        app.rows.set_filter("beta")
        assert marked(app) == []
        assert app.rows.filter_note == "/beta: 1 of 3"
        await tap(pilot, "x")
        assert app.rows.filter_note == "/beta: 1 of 3, 1 marked"


async def test_the_mouse_marks_with_ctrl_and_on_the_marks_column() -> None:
    app = MarksApp(numbered(1, 2, 3))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.click(Markable, offset=(9, 2), control=True)
        await pilot.click(Markable, offset=(1, 3))
        assert (marked(app), at(pilot)[0]) == ([2, 3], 3)
        await pilot.click(Markable, offset=(1, 3))
        assert marked(app) == [2]
        await pilot.click(Markable, offset=(9, 1))
        assert (marked(app), at(pilot)[0]) == ([2], 1)


async def test_in_a_list_without_marks_the_mouse_marks_nothing() -> None:
    app = ListApp(numbered(1, 2, 3))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.click(RowList, offset=(0, 2), control=True)
        assert (marked(app), at(pilot)[0]) == ([], 2)


KEYS = ("j", "k", "g", "G", "x", "v", "asterisk", "minus", "escape")


def marked_by(keys: Sequence[str], count: int) -> tuple[set[int], int]:
    """Marks and cursor after these keys, told row by row."""
    fixed: set[int] = set()
    anchor: int | None = None
    cursor = 0

    def drawn() -> set[int]:
        return set() if anchor is None else set(range(min(anchor, cursor), max(anchor, cursor) + 1))

    for key in keys:
        if key in "jkgG":
            cursor = {"j": min(cursor + 1, count - 1), "k": max(cursor - 1, 0), "g": 0, "G": count - 1}[key]
        elif key in "xv" and anchor is not None:
            fixed, anchor = fixed | drawn(), None
        elif key == "v":
            anchor = cursor
        elif key == "x":
            fixed, cursor = fixed ^ {cursor}, min(cursor + 1, count - 1)
        else:
            every = set(range(count))
            fixed = {"asterisk": every, "minus": every - (fixed | drawn()), "escape": set()}[key]
            anchor = None
    return fixed | drawn(), cursor


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(keys=st.lists(st.sampled_from(KEYS), max_size=20))
async def test_keys_mark_what_they_say_in_any_order(keys: list[str]) -> None:
    app = MarksApp(numbered(*range(6)))
    async with app.run_test(size=(40, 12)) as pilot:
        await tap(pilot, *keys)
        drawn = [n for n, line in enumerate(lines_of(app.rows)[1:7]) if "●" in line]
        expected, cursor = marked_by(keys, 6)
        assert (marked(app), app.rows.cursor) == (sorted(expected), cursor)
        assert drawn == marked(app)
