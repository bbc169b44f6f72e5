"""A briefing to read, as text and as Markdown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.governance.briefing import Briefing
from core.governance.briefing_document import Item, section
from core.governance.briefing_text import as_markdown, as_text

FOUND = Briefing(
    1_772_443_800_000,
    (
        section("urgent", "Urgent decisions", [Item("#1 Ship *it* `now`? [yes](http://x)")]),
        section("milestone", "Day_3 progress", []),
    ),
)


def test_the_text_has_the_moment_and_a_line_for_each_item() -> None:
    assert as_text(FOUND).splitlines() == [
        "Briefing of 2026-03-02, 09:30 UTC",
        "",
        "Urgent decisions",
        "  #1 Ship *it* `now`? [yes](http://x)",
        "",
        "Day_3 progress",
        "  No work is under way.",
    ]


def test_markdown_has_headings_and_shows_markup_as_it_is() -> None:
    assert as_markdown(FOUND).splitlines() == [
        "# Briefing of 2026-03-02, 09:30 UTC",
        "",
        "## Urgent decisions",
        "",
        r"- \#1 Ship \*it\* \`now\`? \[yes\](http://x)",
        "",
        r"## Day\_3 progress",
        "",
        "- No work is under way.",
    ]


@settings(max_examples=100)
@given(st.lists(st.text(min_size=1), max_size=5))
def test_no_item_makes_a_heading_or_a_line_of_its_own(texts: list[str]) -> None:
    found = Briefing(0, (section("urgent", "Urgent decisions", [Item(text) for text in texts]),))
    lines = as_markdown(found).split("\n")
    assert len(lines) == 4 + max(len(texts), 1)
    assert [line for line in lines if line.startswith("#")] == [lines[0], "## Urgent decisions"]
