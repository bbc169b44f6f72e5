from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.text.words import Line
from tui.widgets.columns import Column, widths
from tui.widgets.document import Paragraph
from tui.widgets.painted import cells_of, fit, plain, wrap

TEXTS = st.text(alphabet="ab 日本é—…[/]", max_size=60)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(["text", "dim"])), max_size=4).map(tuple)


@given(LINES, st.integers(min_value=0, max_value=50), st.booleans())
def test_a_fitted_line_has_exactly_its_width(line: Line, width: int, right: bool) -> None:
    assert cells_of(fit(line, width, right=right)) == width


def test_what_is_cut_ends_in_an_ellipsis_and_no_wide_character_is_halved() -> None:
    assert plain(fit((("日本語", "text"),), 4)) == "日…" + " "
    assert plain(fit((("abcdef", "text"),), 4)) == "abc…"


@given(LINES, st.integers(min_value=4, max_value=40), st.integers(min_value=0, max_value=10))
def test_wrapped_lines_are_never_wider_than_asked(line: Line, width: int, indent: int) -> None:
    assert all(cells_of(part) <= width for part in wrap(line, width, indent=indent))


@given(LINES, st.integers(min_value=4, max_value=40), st.integers(min_value=0, max_value=10))
def test_wrapping_loses_no_character(line: Line, width: int, indent: int) -> None:
    wrapped = "".join(plain(part) for part in wrap(line, width, indent=indent))
    assert wrapped.replace(" ", "") == plain(line).replace(" ", "")


def test_lines_break_at_spaces_and_hang_below_their_bullet() -> None:
    shown = [plain(part).rstrip() for part in wrap(((" · ", "faint"), ("one two three", "text")), 9, indent=3)]
    assert shown == [" · one", "   two", "   three"]


def test_a_tail_stands_in_its_own_column_or_below_when_there_is_no_room() -> None:
    paragraph = Paragraph((("coverage  84 %  ", "text"),), 2, (("needs at least 90 %", "dim"),))
    assert [plain(part).rstrip() for part in paragraph.wrapped(34)] == [
        "coverage  84 %  needs at least 90",
        "                %",
    ]
    assert [plain(part).rstrip() for part in paragraph.wrapped(24)] == ["coverage  84 %", "  needs at least 90 %"]


COLUMNS = st.lists(
    st.builds(
        Column,
        title=st.just("x"),
        width=st.one_of(st.none(), st.integers(min_value=1, max_value=20)),
        rank=st.integers(min_value=0, max_value=3),
        least=st.integers(min_value=1, max_value=20),
    ),
    min_size=1,
    max_size=8,
)


@given(COLUMNS, st.integers(min_value=0, max_value=200))
def test_columns_share_the_width_and_those_of_the_highest_rank_give_way_first(
    columns: list[Column], total: int
) -> None:
    given_widths = widths(columns, total)
    shown = [w for w in given_widths if w]
    needed = sum(c.width or c.least for c in columns if not c.rank) + len(columns)
    assert total < needed or sum(shown) + len(shown) - 1 <= total
    dropped = [c.rank for c, w in zip(columns, given_widths, strict=True) if not w and c.width]
    kept = [c.rank for c, w in zip(columns, given_widths, strict=True) if w and c.rank]
    assert not dropped or not kept or min(dropped) >= max(kept)
