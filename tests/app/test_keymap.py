"""Keys that a person changed: what they do, what the old ones do, and what the screen says of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.pilot import Pilot

from tests.app.driving import app_in, lines_of, notices, opened, press, screen_text, settle
from tests.app.seeding import SeededWorkspace
from tui.actions import ACTIONS, DIGITS
from tui.actions.keys import NAMED, PUNCTUATION, key_of, shown
from tui.screens.help import HelpDialog
from tui.screens.palette import Palette
from tui.screens.questions.decision import Decision
from tui.settings.configured import ConfiguredApp
from tui.settings.keymap import AS_IT_CAME, BOUND, Keymap, clashes, open_at_once
from tui.widgets.document import Document
from tui.widgets.row_list import RowList


def use(pilot: Pilot[int], **changed: tuple[str, ...]) -> None:
    """The keys in force from now on; `__` stands for the dot of an id."""
    app = app_in(pilot)
    assert isinstance(app, ConfiguredApp)
    app.keymap = Keymap({name.replace("__", "."): keys for name, keys in changed.items()})


async def test_a_changed_key_does_what_its_action_does(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, next=("f5",))
        await press(pilot, "f5")
        assert isinstance(app_in(pilot).screen, Decision)


async def test_the_key_that_was_given_up_does_nothing(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, next=("f5",))
        await press(pilot, "space")
        assert not isinstance(app_in(pilot).screen, Decision)


async def test_a_key_given_up_in_a_near_place_does_what_it_does_farther_out(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, help=("f1", "f9"), next=("question_mark",))
        await press(pilot, "question_mark")
        assert isinstance(app_in(pilot).screen, Decision)


async def test_the_keys_of_two_actions_can_be_exchanged(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, list__down=("k",), list__up=("j",))
        await press(pilot, "2", "g", "k", "k", "j")
        assert app_in(pilot).screen.query_one("#work").cursor == 1  # type: ignore[attr-defined]


async def test_one_digit_of_a_row_of_them_can_be_changed(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, decision__answer__1=("f5",))
        await press(pilot, "space")
        before = app_in(pilot).screen.escalation  # type: ignore[attr-defined]
        await press(pilot, "1")
        assert app_in(pilot).screen.escalation == before  # type: ignore[attr-defined]
        await press(pilot, "f5")
        screen = app_in(pilot).screen
        assert not isinstance(screen, Decision) or screen.escalation != before


async def test_what_is_typed_into_a_field_is_text_whatever_the_keys(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, next=("x",))
        await press(pilot, "slash", "x")
        assert app_in(pilot).focused.value == "x"  # type: ignore[union-attr]


async def test_an_action_can_be_left_without_a_key(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, quit=())
        await press(pilot, "q")
        assert app_in(pilot).is_running


async def test_the_footer_shows_the_keys_in_force(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, next=("f5",))
        app_in(pilot).show_keys()
        await settle(pilot)
        footer = screen_text(pilot).splitlines()[-1]
        assert "f5 next for me" in footer
        assert "space" not in footer


async def test_a_click_on_a_hint_presses_the_key_in_force(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, next=("f5",))
        app_in(pilot).show_keys()
        await settle(pilot)
        at = screen_text(pilot).splitlines()[-1].index("f5")
        await pilot.click("KeyBar", offset=(at, 0))
        await settle(pilot)
        assert isinstance(app_in(pilot).screen, Decision)


async def test_help_shows_the_keys_in_force_and_marks_the_changed_ones(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        use(pilot, next=("f5",))
        await press(pilot, "question_mark", "slash", *"needs", "space", "me")
        assert isinstance(app_in(pilot).screen, HelpDialog)
        text = " ".join(screen_text(pilot).split())
        assert "f5 Open the next question that needs me" in text
        assert "came with space" in text


async def test_help_finds_by_words_and_shows_all_again_after_escape(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "question_mark", "slash", *"half", "enter")
        shown_lines = "\n".join(lines_of(app_in(pilot).screen.query_one(Document)))
        assert "Half a page" in shown_lines
        assert "work item" not in shown_lines
        await press(pilot, "escape")
        assert isinstance(app_in(pilot).screen, HelpDialog)
        await press(pilot, "escape")
        assert not isinstance(app_in(pilot).screen, HelpDialog)


async def test_what_does_not_apply_is_dim_with_its_reason_in_help(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        app_in(pilot).screen.applies = lambda name: "no such thing" if name == "decision.snooze" else True  # type: ignore[attr-defined]
        await press(pilot, "question_mark", "slash", *"away")
        assert "no such thing" in screen_text(pilot)


async def test_what_does_not_apply_is_not_in_the_footer(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        app_in(pilot).screen.applies = lambda name: name != "decision.accept"  # type: ignore[attr-defined]
        app_in(pilot).show_keys()
        await settle(pilot)
        footer = screen_text(pilot).splitlines()[-1]
        assert "a accept" not in footer
        assert "help" in footer


async def test_the_palette_finds_a_command_by_a_few_letters(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "colon", *"ascgly", "enter")
        assert app_in(pilot).ascii_glyphs


async def test_the_palette_shows_first_what_was_run_last(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "colon", *"ascii", "enter", "colon")
        assert isinstance(app_in(pilot).screen, Palette)
        await press(pilot, "enter")
        assert not app_in(pilot).ascii_glyphs


@pytest.mark.parametrize(("pane", "words", "told"), [("1", "snooze", "“Questions”"), ("4", "cancel", "“Work items”")])
async def test_the_palette_finds_a_command_of_another_place_and_says_where_it_works(
    busy_workspace: SeededWorkspace, pane: str, words: str, told: str
) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, pane, "colon")
        rows = pilot.app.screen.query_one(RowList)
        offered = rows.count
        await press(pilot, *words)
        row = next(row for row in rows.rows if words.capitalize() in row.action.title)
        assert row.reason is not None
        assert told in row.reason
        assert rows.go_to(row.action.id)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Palette)
        assert notices(pilot)[-1] == f"{row.action.title}: {row.reason}."
        await press(pilot, *["backspace"] * len(words))
        assert rows.count == offered


async def test_the_palette_says_why_a_command_does_not_apply_and_stays(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space")
        app_in(pilot).screen.applies = lambda name: "not today" if name == "decision.snooze" else True  # type: ignore[attr-defined]
        await press(pilot, "colon", *"snooze", "enter")
        assert isinstance(app_in(pilot).screen, Palette)
        assert "not today" in screen_text(pilot)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (":", "colon"),
        ("colon", "colon"),
        ("esc", "escape"),
        ("Ctrl+T", "ctrl+t"),
        ("shift+a", "A"),
        ("G", "G"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("pgdn", "pagedown"),
        ("↓", "down"),
        ("f5", "f5"),
        ("shift+tab", "shift+tab"),
        ("é", "é"),
    ],
)
def test_keys_are_written_as_they_are_shown_or_named(written: str, key: str) -> None:
    assert key_of(written) == key


@pytest.mark.parametrize("written", ["", "a b", "foo", "ctrl+foo", "ctrl+ctrl+a", "hyper+a", "shift+1", "f99"])
def test_what_is_no_key_is_none(written: str) -> None:
    assert key_of(written) is None


@given(st.sampled_from([*NAMED, *"abzAZ09", *(f"ctrl+{c}" for c in "aefx"), "alt+left", "ctrl+shift+up"]))
def test_a_key_that_is_shown_can_be_written_back(key: str) -> None:
    assert key_of(shown(key)) == key


@pytest.mark.parametrize("character", PUNCTUATION)
def test_a_character_has_the_name_that_the_driver_gives_its_key(character: str) -> None:
    assert [event.key for event in XTermParser().feed(character) if isinstance(event, Key)] == [PUNCTUATION[character]]


def test_without_changes_every_action_has_the_keys_of_the_registry() -> None:
    assert {b.id: AS_IT_CAME.keys_of(b) for b in BOUND.values() if "{key}" not in b.action.handler} == {
        a.id: a.keys for a in ACTIONS if "{key}" not in a.handler
    }
    assert all(f"decision.answer.{digit}" in BOUND for digit in DIGITS)


KEYS = ("a", "b", "x", "f5", "ctrl+t", "colon")


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(sorted(BOUND)), st.lists(st.sampled_from(KEYS), max_size=2).map(tuple), max_size=6)
)
def test_a_key_that_two_actions_took_is_a_clash_wherever_both_work(changed: dict[str, tuple[str, ...]]) -> None:
    keymap = Keymap(changed)
    told = {(name, key, other.id) for name in changed for key, other in clashes(keymap, name)}
    for name, keys in changed.items():
        for other in BOUND.values():
            both = (set(keys) - set(BOUND[name].keys)) & set(keymap.keys_of(other))
            apart = other.id == name or not open_at_once(BOUND[name].action.place, other.action.place)
            for key in both:
                assert ((name, key, other.id) in told) is not apart
