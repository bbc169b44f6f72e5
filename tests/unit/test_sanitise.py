"""What text may not carry to a terminal, and what it keeps."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sanitise import as_written, one_line, sanitise, visible

VISIBLE_FORMAT = {
    *range(0x600, 0x606),
    0x6DD,
    0x70F,
    0x890,
    0x891,
    0x8E2,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13456),
}
"""Characters of category Cf that have ink: signs that enclose numbers, hieroglyphic joiners."""

SEQUENCES = (
    "\x1b",
    "\x1b[",
    "\x1b[31m",
    "\x1b]0;t\x07",
    "\x1b]52;c;QQ==\x1b\\",
    "\x9b1m",
    "\x1bP",
    "\x9d",
    "\x07",
    "m",
)
CHARACTERS = "[]\r\n\t\u202e\u200d\U000e0041\ufe0f\ufeff\ud800\u2028é…"
FRAGMENTS = st.sampled_from([*SEQUENCES, "\r\n", *CHARACTERS])
HOSTILE = st.lists(FRAGMENTS | st.text(st.characters(), max_size=5), max_size=30).map("".join)


def is_forbidden(character: str) -> bool:
    if character in "\n\t":
        return False
    kind = unicodedata.category(character)
    return kind in {"Cc", "Cs", "Zl", "Zp"} or (kind == "Cf" and ord(character) not in VISIBLE_FORMAT)


@given(HOSTILE)
def test_no_forbidden_character_passes(text: str) -> None:
    assert not [character for character in sanitise(text) if is_forbidden(character)]


@given(HOSTILE, st.integers(0, 60), st.booleans())
def test_it_is_idempotent_and_bounded(text: str, limit: int, keep_newlines: bool) -> None:
    once = sanitise(text, limit=limit, keep_newlines=keep_newlines)

    assert sanitise(once, limit=limit, keep_newlines=keep_newlines) == once
    assert len(once) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert sanitise(text) == text


@pytest.mark.parametrize(
    "text", ["日本語のテキスト", "Zażółć gęślą jaźń", "e\u0301", "שלום", "नमस्ते", "❤️ 👍🏽 🇫🇷", "a\tb\nc", ""]
)
def test_scripts_accents_and_emoji_stay(text: str) -> None:
    assert sanitise(text) == text


@pytest.mark.parametrize(
    ("hostile", "visible"),
    [
        ("\x1b]52;c;cm0gLXJm\x07after", "after"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1bP1$r0m\x1b\\after", "after"),
        ("\x1b(0lqk", "lqk"),
        ("\x1bcreset", "reset"),
        ("a\x1b\x1b[m[31mb", "a[31mb"),
        ("user\u202enimda", "usernimda"),
        ("in\u200bvis\u2060ib\U000e0069le", "invisible"),
        ("\ufeffbom", "bom"),
        ("a\ud83db", "ab"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("x\ufe0f\ufe0f\ufe0e", "x\ufe0f"),
        ("bell\x07 back\x08 null\x00", "bell back null"),
    ],
)
def test_what_a_terminal_obeys_goes(hostile: str, visible: str) -> None:
    assert sanitise(hostile) == visible


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200dष", "👩\u200d👩\u200d👧", "❤\ufe0f\u200d🔥", "one\ntwo"])
def test_joiners_of_scripts_and_emoji_stay_as_they_were_written(text: str) -> None:
    assert as_written(text) == text
    assert sanitise(text) == text.replace("\u200c", "").replace("\u200d", "")


@pytest.mark.parametrize(
    "hostile", ["pass\u200dword", "👩\u200d", "\u200dक", "क\u200d x", "❤\u200d\u200d🔥", "日\u200d本", ".g\u200cit"]
)
def test_joiners_that_join_nothing_go(hostile: str) -> None:
    assert as_written(hostile) == sanitise(hostile)


@given(HOSTILE, st.integers(0, 60))
def test_what_is_kept_as_written_has_no_more_than_joiners_and_stays_so(text: str, limit: int) -> None:
    once = as_written(text, limit=limit)

    assert as_written(once, limit=limit) == once
    assert len(once) <= limit
    assert {character for character in once if is_forbidden(character)} <= {"\u200c", "\u200d"}


def test_a_control_string_without_an_end_hides_nothing() -> None:
    assert sanitise("\x1b]0;open\nrm -rf /") == "0;open\nrm -rf /"


def test_newlines_and_tabs_become_spaces_on_request() -> None:
    assert sanitise("a\r\nb\tc", keep_newlines=False) == "a b c"


def test_a_cut_is_marked_with_the_whole_length() -> None:
    assert sanitise("x" * 5_000, limit=100).endswith("x… [cut, 5,000 characters in all]")


def test_one_line_folds_white_space_and_ends_in_an_ellipsis() -> None:
    assert one_line("  two\n\n lines\t here ") == "two lines here"
    assert one_line("word " * 100, limit=12) == "word word w…"
    assert one_line("\n" * 100_000 + "late") == "late"


@given(HOSTILE, st.integers(0, 30))
def test_one_line_is_bounded_and_idempotent(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert "\n" not in line
    assert one_line(line, limit) == line


@given(HOSTILE)
def test_what_is_made_visible_shows_every_character_and_stays_as_it_is(text: str) -> None:
    shown = visible(text)

    assert not [character for character in shown if is_forbidden(character)]
    assert sanitise(shown) == shown
    assert len(shown) >= len(text)


def test_a_command_cannot_hide_in_what_a_terminal_obeys() -> None:
    assert visible("echo ok \x1b]0;rm -rf ~;\x07") == "echo ok ⟨U+001B⟩]0;rm -rf ~;⟨U+0007⟩"
    assert visible("a\u202eb\rc\td\n") == "a⟨U+202E⟩b⟨U+000D⟩c\td\n"
    assert visible("x" * 300, limit=100).endswith("x… [cut, 300 characters in all]")


@pytest.mark.parametrize(
    "introducer", ["\x9d", "\x90", "\x98", "\x9e", "\x9f", "\x9b", "\x1b]", "\x1b[", "\x1bP", "\x1b "]
)
def test_any_number_of_introducers_is_gone_over_once(introducer: str) -> None:
    """Where the end of each is looked for by itself, this takes hours."""
    assert sanitise(introducer * 300_000 + "shown", limit=2_000_000).endswith("shown"[1:])
