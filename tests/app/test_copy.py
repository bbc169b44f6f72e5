"""`y` and the mouse: what is copied, where it goes, and what is said of it."""

from __future__ import annotations

import stat

import pytest
from textual.pilot import Pilot

from tests.app.driving import app_in, notices, opened, press, settle
from tests.app.seeding import SeededWorkspace
from tui import clipboard
from tui.clipboard import MOST_OSC_BYTES, copied_around, copy_text
from tui.widgets.cards import Card, Cards
from tui.widgets.document import Document, Paragraph, text


def copied(made: SeededWorkspace) -> str:
    return (made.state / "copied.txt").read_text()


async def test_a_row_is_copied_as_it_reads(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "2", "y")
        row = copied(busy_workspace)
        assert app_in(pilot).clipboard == row
        assert f"copied {len(row)} characters of a row of work" in notices(pilot)[-1]
        assert "also in state/copied.txt" in notices(pilot)[-1]


async def test_a_text_is_copied_as_a_whole_and_as_it_was_before_wrapping(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        document = await show(pilot, "one " * 60 + "\nsecond line")
        await press(pilot, "y")
        assert copied(busy_workspace) == ("one " * 60).rstrip() + "\nsecond line"
        assert document.virtual_size.height > 2


async def test_a_card_is_copied_with_its_consequence(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        cards = Cards()
        await pilot.app.screen.mount(cards)
        cards.show([Card("a", "Ship it", "It goes out today"), Card("b", "Wait")])
        cards.focus()
        await settle(pilot)
        assert copied_around(app_in(pilot)) == ("Ship it\nIt goes out today", "answer 1")


async def test_the_file_is_for_its_owners_eyes_and_holds_only_the_last(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        copy_text(app_in(pilot), "a longer text than the next", "one")
        copy_text(app_in(pilot), "next", "another")
        file = busy_workspace.state / "copied.txt"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() == "next"
        assert [path for path in busy_workspace.state.iterdir() if path.name.startswith(".copied")] == []


async def test_what_the_clipboard_cannot_take_is_only_in_the_file_and_said_so(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        app = app_in(pilot)
        app.copy_to_clipboard("before")
        copy_text(app, "é" * (MOST_OSC_BYTES // 2 + 1), "a log")
        await settle(pilot)
        assert app.clipboard == "before"
        assert "too many for the terminal's clipboard" in notices(pilot)[-1]
        assert len(copied(busy_workspace)) == MOST_OSC_BYTES // 2 + 1


async def test_a_file_that_cannot_be_written_is_said_and_the_clipboard_has_it_all_the_same(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "FILE_NAME", "no/such/folder.txt")
    async with opened(busy_workspace) as pilot:
        copy_text(app_in(pilot), "words", "a note")
        await settle(pilot)
        assert app_in(pilot).clipboard == "words"
        assert "cannot be written" in notices(pilot)[-1]


async def test_where_there_is_nothing_to_copy_that_is_said(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await press(pilot, "3", "y")
        assert notices(pilot)[-1] == "There is nothing here to copy."
        assert not (empty_workspace.state / "copied.txt").exists()


async def test_the_mouse_selects_in_a_text_and_y_copies_that(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        document = await show(pilot, "alpha beta\ngamma delta\nepsilon")
        await pilot.mouse_down(document, offset=(6, 0))
        await pilot.hover(document, offset=(4, 1))
        await pilot.mouse_up(document, offset=(4, 1))
        await press(pilot, "y")
        assert copied(busy_workspace) == "beta\ngamma"
        assert "of what is selected" in notices(pilot)[-1]


async def test_what_is_selected_is_marked(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        document = await show(pilot, "alpha beta")
        await pilot.mouse_down(document, offset=(0, 0))
        await pilot.hover(document, offset=(4, 0))
        await pilot.mouse_up(document, offset=(4, 0))
        marked = pilot.app.screen.get_component_rich_style("screen--selection").bgcolor
        drawn = [s.text for s in document.render_line(0) if s.style is not None and s.style.bgcolor == marked]
        assert "".join(drawn) == "alpha"


async def test_wide_characters_are_selected_by_character(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        document = await show(pilot, "漢字 kanji")
        await pilot.mouse_down(document, offset=(0, 0))
        await pilot.hover(document, offset=(2, 0))
        await pilot.mouse_up(document, offset=(2, 0))
        await press(pilot, "y")
        assert copied(busy_workspace) == "漢字"


async def test_ctrl_c_copies_what_is_selected(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        document = await show(pilot, "alpha beta")
        await pilot.mouse_down(document, offset=(0, 0))
        await pilot.hover(document, offset=(4, 0))
        await pilot.mouse_up(document, offset=(4, 0))
        await press(pilot, "ctrl+c")
        assert app_in(pilot).clipboard == "alpha"


async def test_other_contents_drop_the_selection(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        document = await show(pilot, "alpha beta")
        await pilot.mouse_down(document, offset=(0, 0))
        await pilot.hover(document, offset=(4, 0))
        await pilot.mouse_up(document, offset=(4, 0))
        document.show([Paragraph((("other words", "text"),))])
        await settle(pilot)
        assert not pilot.app.screen.get_selected_text()


async def test_a_double_click_takes_a_card(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "0")
        await pilot.click("Cards", offset=(4, 0), times=2)
        await settle(pilot)
        assert "Triage" in type(pilot.app.screen).__name__


async def show(pilot: Pilot[int], words: str) -> Document:
    """A text over the dashboard, with the focus."""
    document = Document()
    document.styles.layer = "top"
    document.styles.dock = "top"
    document.styles.height = 12
    await pilot.app.screen.mount(document)
    document.show(text(words))
    document.focus()
    await settle(pilot)
    return document


def test_the_bound_of_the_escape_sequence_is_that_of_many_terminals() -> None:
    import base64

    assert len(base64.b64encode(b"x" * MOST_OSC_BYTES)) <= 100_000 < len(base64.b64encode(b"x" * (MOST_OSC_BYTES + 8)))
