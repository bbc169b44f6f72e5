"""Finding words in drawn lines: across their ends, in either case, whatever stands there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.strip import Strip

from tui.text.words import Line
from tui.widgets.searching import CURRENT, MOST_PLACES, PLACE, Search


def lines(*texts: str) -> list[Line]:
    return [((text, "text"),) for text in texts]


def look(texts: list[Line], words: str) -> Search:
    search = Search()
    search.look(texts, words)
    return search


def marked(search: Search, text: str, n: int) -> list[tuple[str, bool]]:
    """The pieces of a drawn line that are marked, and whether each is of the current place."""
    strip = search.marked(Strip([Segment(text)]), n)
    assert strip.text == text
    found = [(segment.text, segment.style) for segment in strip if segment.style is not None]
    assert all(style in (PLACE, CURRENT) for _, style in found)
    return [(text, style == CURRENT) for text, style in found]


def test_words_are_found_in_either_case_and_the_first_is_looked_at() -> None:
    search = look(lines("The gate, the Gate", "", "no more"), "gate")
    assert (search.tops, search.note) == ([0, 0], "1 of 2")
    assert marked(search, "The gate, the Gate", 0) == [("gate", True), ("Gate", False)]
    search.step(1)
    assert marked(search, "The gate, the Gate", 0) == [("gate", False), ("Gate", True)]
    search.step(1)
    assert search.note == "1 of 2"
    search.step(-1)
    assert search.note == "2 of 2"


def test_a_phrase_is_found_across_the_end_of_a_wrapped_line_without_its_indentation() -> None:
    search = look(lines("it is not", "    met by any", "not", "yet met"), "not   MET by")
    assert search.tops == [0]
    assert marked(search, "it is not", 0) == [("not", True)]
    assert marked(search, "    met by any", 1) == [("met by", True)]


def test_wide_letters_are_marked_whole() -> None:
    assert marked(look(lines("見本 日本語 x"), "日本"), "見本 日本語 x", 0) == [("日本", True)]


def test_nothing_is_looked_for_and_nothing_is_found() -> None:
    assert look(lines("a b"), "  ").note == ""
    assert look(lines("a b"), "c").note == "nothing found"
    assert look([], "c").note == "nothing found"
    search = look(lines("a"), "c")
    search.step(1)
    search.begin_at(0)
    assert search.at == 0


def test_the_place_nearest_below_is_looked_at_and_stays_when_the_text_grows() -> None:
    search = look(lines("x", "", "x", "x"), "x")
    search.begin_at(1)
    assert search.note == "2 of 3"
    search.look(lines("x", "", "x", "x", "x"), "x")
    assert search.note == "2 of 4"
    search.look(lines("x"), "x")
    assert search.note == "1 of 1"
    search.begin_at(5)
    assert search.note == "1 of 1"


def test_a_letter_that_stands_everywhere_is_counted_up_to_a_bound() -> None:
    assert look(lines("e" * (MOST_PLACES + 5)), "e").note == "1 of 10,000+"


texts = st.lists(st.text(st.sampled_from("aAbß.*(日 "), max_size=12), max_size=6)


@given(texts, st.text(st.sampled_from("aAb.*(日 "), max_size=3))
def test_every_place_is_marked_and_no_text_is_changed(drawn: list[str], words: str) -> None:
    search = look(lines(*drawn), words)
    pieces = {n: marked(search, text, n) for n, text in enumerate(drawn)}
    assert all(text for found in pieces.values() for text, _ in found)
    if not any(" " in word for word in words.strip().split()) and len(words.split()) == 1:
        word = words.split()[0].lower()
        assert len(search.tops) == sum(text.lower().count(word) for text in drawn)
        assert [text.lower() for found in pieces.values() for text, _ in found] == [word] * len(search.tops)
