"""Long lists: what is read, what is shown meanwhile, and where cursor and marks are when the rows change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from core.contract import ApmError
from tests.app.driving import lines_of, tap
from tests.app.windows import Table, Thing, Things, ThingsApp, change, listed, settled
from tests.fresh import fresh_store


async def until(pilot: Pilot[Any], condition: Any) -> None:
    """Let the app go on until that is so."""
    while not condition():
        await pilot.pause(0.001)


def shown(rows: Things) -> list[str]:
    """What stands in the lines, below the heading."""
    return list(lines_of(rows))[1:]


# What is read


async def test_of_a_hundred_thousand_rows_those_in_sight_are_read(tmp_path: Path) -> None:
    table = Table(range(100_000))
    async with listed(tmp_path, table) as (app, pilot):
        assert app.things.total == app.things.count == 100_000
        assert shown(app.things)[0] == "▌        0 title 0"
        await tap(pilot, "G", *["ctrl+u"] * 3)
        await settled(app, pilot)
        assert app.things.row == Thing(99_984, "title 99984")
        assert all(len(keys) < 100 for keys in table.read)
        assert len({key for keys in table.read for key in keys}) < 100


async def test_both_ends_are_there_before_the_cursor_is(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        await tap(pilot, "G")
        assert app.things.row == Thing(999, "title 999")
        assert shown(app.things)[0].split() == ["989", "title", "989"]
        table.opened.set()


async def test_a_row_that_has_not_been_read_is_a_faint_dot_until_it_has_been(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        app.things.go_to(500)
        assert app.things.row is None
        assert {line.replace(" ", "") for line in shown(app.things)} == {"·", "▌·"}
        table.opened.set()
        await settled(app, pilot)
        assert shown(app.things)[-1] == "▌      500 title 500"
        assert app.moved[-2:] == [None, Thing(500, "title 500")]


async def test_what_changed_stays_on_the_screen_until_it_has_been_read_anew(tmp_path: Path) -> None:
    table = Table([1, 2, 3])
    async with listed(tmp_path, table) as (app, pilot):
        before = shown(app.things)
        table.titles[2] = "changed"
        table.hold()
        app.bridge.reload_all()
        await until(pilot, lambda: table._at_once)
        assert shown(app.things) == before
        table.opened.set()
        await settled(app, pilot)
        assert shown(app.things)[1].split() == ["2", "changed"]


async def test_enter_on_a_row_that_is_still_to_be_read_opens_it_when_it_has_been(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        app.things.go_to(500)
        await tap(pilot, "enter")
        assert app.opened == []
        table.opened.set()
        await settled(app, pilot)
        assert app.opened == [Thing(500, "title 500")]


async def test_enter_is_forgotten_when_the_cursor_moves_on(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        app.things.go_to(500)
        await tap(pilot, "enter", "j", "k")
        table.opened.set()
        await settled(app, pilot)
        assert app.opened == []


async def test_one_reading_at_a_time_and_what_happens_meanwhile_is_one_more(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.most_at_once = table.orders = 0
        table.hold()
        for _ in range(5):
            app.bridge.reload_all()
            app.bridge.ask(app.things)
            app.things.go_to(500)
            await pilot.pause(0)
            app.things.go_to(700)
            await pilot.pause(0)
        table.opened.set()
        await settled(app, pilot)
        assert table.most_at_once == 1
        assert table.orders <= 3
        assert app.things.row == Thing(700, "title 700")


async def test_a_change_that_moves_no_row_reads_only_what_is_in_sight(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.orders = 0
        table.titles[0] = "changed"
        await app.store.write(lambda tx: tx.event("phase.passed"))
        await settled(app, pilot)
        assert (table.orders, shown(app.things)[0]) == (0, "▌        0 changed")
        table.keys = range(1, 1_000)
        await app.store.write(lambda tx: tx.event("project.changed"))
        await settled(app, pilot)
        assert (table.orders, shown(app.things)[0]) == (1, "▌        1 title 1")


async def test_a_row_that_changed_while_it_was_out_of_sight_is_shown_as_it_is_now(tmp_path: Path) -> None:
    table = Table(range(100))
    async with listed(tmp_path, table) as (app, pilot):
        assert shown(app.things)[0] == "▌        0 title 0"
        app.things.go_to(15)
        await settled(app, pilot)
        table.titles[0] = "changed"
        await app.store.write(lambda tx: tx.event("phase.passed"))
        await settled(app, pilot)
        app.things.go_to(0)
        await settled(app, pilot)
        assert shown(app.things)[0] == "▌        0 changed"


async def test_rows_are_read_while_the_order_waits_for_its_turn(tmp_path: Path) -> None:
    table = Table(range(100))
    async with listed(tmp_path, table) as (app, pilot):
        app.things._rests_until, table.orders, table.titles[0] = float("inf"), 0, "changed"
        app.bridge.reload_all()
        await until(pilot, lambda: shown(app.things)[0] == "▌        0 changed")
        assert table.orders == 0
        app.things._has_new_wish.set()
        await settled(app, pilot)
        assert table.orders == 1


async def test_what_was_read_before_a_change_does_not_pass_for_what_was_read_after_it(tmp_path: Path) -> None:
    table = Table(range(1_000))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        app.things.go_to(500)
        await until(pilot, lambda: table._at_once)
        table.titles[500] = "changed"
        await app.store.write(lambda tx: tx.event("phase.passed"))
        await pilot.pause(0.2)
        table.opened.set()
        await settled(app, pilot)
        assert app.things.row == Thing(500, "changed")


async def test_a_reading_that_fails_is_told_and_the_next_one_is_shown(tmp_path: Path) -> None:
    table = Table([1, 2])
    async with listed(tmp_path, table) as (app, pilot):
        table.fault, table.keys = ApmError("The disk is gone."), [1, 2, 3]
        await change(app, pilot)
        assert app.complaints == ["The disk is gone."]
        assert app.things.count == 2
        table.fault = None
        await change(app, pilot)
        assert app.things.count == 3


async def test_a_list_without_rows_says_so_only_when_that_is_known(tmp_path: Path) -> None:
    table = Table()
    table.hold()
    with fresh_store(tmp_path, synchronous="off") as store:
        app = ThingsApp(store, table)
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause(0)
            assert "Nothing here." not in "\n".join(lines_of(app.things))
            table.opened.set()
            await settled(app, pilot)
            assert "Nothing here." in "\n".join(lines_of(app.things))


# Filter


async def test_a_filter_asks_the_store_and_the_note_counts_when_it_has_answered(tmp_path: Path) -> None:
    table = Table(range(100))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        app.things.set_filter("9 !99")
        assert app.things.filter_note == "/9 !99: … of 100"
        table.opened.set()
        await settled(app, pilot)
        assert app.things.filter_note == "/9 !99: 18 of 100"
        assert list(app.things.keys) == [n for n in range(100) if "9" in str(n) and n != 99]


async def test_of_what_is_typed_the_last_wins(tmp_path: Path) -> None:
    table = Table(range(100))
    async with listed(tmp_path, table) as (app, pilot):
        table.hold()
        for text in ("1", "11", "1", "22"):
            app.things.set_filter(text)
            await pilot.pause(0)
        seen = app.things.count
        table.opened.set()
        await settled(app, pilot)
        assert (seen, list(app.things.keys)) == (100, [22])
        assert app.moved[1:] == [Thing(22, "title 22")]


async def test_what_adds_nothing_to_a_filter_reads_nothing(tmp_path: Path) -> None:
    table = Table(range(100))
    async with listed(tmp_path, table) as (app, pilot):
        app.things.set_filter("22")
        await settled(app, pilot)
        table.orders = 0
        for text in ("22 ", "22 !"):
            app.things.set_filter(text)
            await settled(app, pilot)
        assert table.orders == 0
        assert app.things.filter_note == "/22 !: 1 of 100"


async def test_a_filter_that_lets_nothing_through_says_how_to_drop_it(tmp_path: Path) -> None:
    async with listed(tmp_path, Table(range(10))) as (app, pilot):
        app.things.set_filter("zzz")
        await settled(app, pilot)
        assert "esc drops it" in "\n".join(lines_of(app.things))


# Mouse and size


def wheel(rows: Things, kind: type[MouseScrollDown] | type[MouseScrollUp]) -> None:
    rows.post_message(kind(rows, 5, 5, 0, 1, 0, False, False, False, 5, 5))


async def test_the_wheel_reads_what_comes_in_sight_and_leaves_the_cursor_where_it_is(tmp_path: Path) -> None:
    async with listed(tmp_path, Table(range(1_000))) as (app, pilot):
        for _ in range(40):
            wheel(app.things, MouseScrollDown)
        await settled(app, pilot)
        top = app.things.scroll_offset.y
        assert top > 50
        assert shown(app.things) == [f"  {n:>8} title {n}" for n in range(top, top + 11)]
        assert app.things.cursor == 0


async def test_rows_that_come_while_the_cursor_is_out_of_sight_move_nothing(tmp_path: Path) -> None:
    table = Table(range(100, 1_000))
    async with listed(tmp_path, table) as (app, pilot):
        for _ in range(40):
            wheel(app.things, MouseScrollDown)
        await settled(app, pilot)
        before = shown(app.things)
        table.keys = range(1_000)
        await change(app, pilot)
        assert shown(app.things) == before
        assert app.things.key_at(app.things.cursor) == 100


async def test_a_larger_screen_is_filled_and_on_a_smaller_one_the_cursor_is_in_sight(tmp_path: Path) -> None:
    async with listed(tmp_path, Table(range(1_000))) as (app, pilot):
        await tap(pilot, *["j"] * 10)
        await pilot.resize_terminal(40, 60)
        await settled(app, pilot)
        assert shown(app.things)[-1].split() == ["58", "title", "58"]
        await pilot.resize_terminal(40, 5)
        await settled(app, pilot)
        assert shown(app.things)[-1] == "▌       10 title 10"
