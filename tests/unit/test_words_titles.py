"""Titles without a mark: a section's name alone on its line opens it, is no content, and ends the section before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.words.conditions import conditions
from core.agents.words.dangers import names_a_risk, risks
from core.agents.words.document import parse

BARE = """\
Support staff lose an hour a week because exports are typed by hand today.

Acceptance criteria
- `calc export` writes a file
- The file has a header line
- An empty list gives an empty file

Risks
- Somebody relies on the old column order (low)

Notes
- ask Bob first
"""
CRITERIA = ["`calc export` writes a file", "The file has a header line", "An empty list gives an empty file"]
RISK = "Somebody relies on the old column order"


def criteria(body: str) -> list[str]:
    return [said.text for said in conditions(parse(body))]


def dangers(body: str) -> list[str]:
    return [danger.text for danger in risks(parse(body))]


def test_bare_titles_open_their_sections_and_are_no_content() -> None:
    assert (criteria(BARE), dangers(BARE)) == (CRITERIA, [RISK])
    assert [said.text for said in parse(BARE).headings] == ["Acceptance criteria", "Risks", "Notes"]


def test_without_blank_lines_between_them_lists_end_at_the_next_title_too() -> None:
    dense = BARE.replace("\n\n", "\n")
    assert (criteria(dense), dangers(dense)) == (CRITERIA, [RISK])


STYLES = ("{}", "{}:", "{} :", "## {}", "**{}**", "**{}:**", "__{}__", "*{}*", "{}\n=====", "{}\n-----")


@given(
    st.tuples(*[st.sampled_from(STYLES)] * 3),
    st.sampled_from((str, str.upper, str.lower)),
    st.sampled_from(("\n", "\n\n")),
)
def test_every_style_of_title_gives_the_same_criteria_and_risks(
    styles: tuple[str, ...], case: type[str], gap: str
) -> None:
    body = BARE
    for style, name in zip(styles, ("Acceptance criteria", "Risks", "Notes"), strict=True):
        body = body.replace(f"\n{name}\n", f"\n{style.format(case(name))}{gap}")
    assert (criteria(body), dangers(body)) == (CRITERIA, [RISK])


@pytest.mark.parametrize(
    "nothing", ["", "none", "None.", "no risks", "No known risks so far.", "n/a", "- none", "- N/A"]
)
@pytest.mark.parametrize("title", ["Risks", "Risks:", "## Risks", "RISKS", "Known risks"])
def test_a_title_that_nothing_follows_is_no_risk(title: str, nothing: str) -> None:
    assert dangers(f"Exports are typed by hand today.\n\n{title}\n{nothing}\n") == []


def test_a_section_that_says_none_ends_there() -> None:
    assert dangers("Risks\nnone\n\nPlease finish it by Friday.\n\nTeam\n- Ask Bob first\n") == []


@pytest.mark.parametrize("title", ["Notes", "Out of scope", "Sign-off", "Colours of the buttons", "Thanks"])
@pytest.mark.parametrize("before", ["- Rows may get lost", "Rows may get lost."])
def test_any_title_over_a_list_ends_the_section_before_it(before: str, title: str) -> None:
    assert dangers(f"Risks\n{before}\n\n{title}\n- ask Bob first\n") == ["Rows may get lost"]


def test_a_list_that_is_divided_by_titles_stays_in_its_section() -> None:
    assert criteria("## Acceptance criteria\n\nExport\n- a is written\n\nImport\n- b is read\n- c is kept\n") == [
        "a is written",
        "b is read",
        "c is kept",
    ]


@pytest.mark.parametrize(
    "line", ["The export must", "We should look at", "It writes", "Somebody may lose rows when they sort all of it"]
)
def test_a_sentence_over_a_list_is_no_title(line: str) -> None:
    body = f"Acceptance criteria\n\nAs agreed.\n\n{line}\n- write a file\n- write a header\n- write nothing else\n"
    assert len(criteria(body)) >= 3
    assert all(said.text != line for said in parse(body).headings)


@pytest.mark.parametrize(
    "body",
    [
        "Exports are slow for all\nusers\nof the shop.",
        "- the page names all\n  Risks\n- and more",
        "They fail at the\nproblem\n\nof the day.",
        "Risks.",
        "risks\nof this kind are rare.",
    ],
)
def test_a_word_within_a_text_opens_nothing(body: str) -> None:
    assert parse(body).headings == ()


@pytest.mark.parametrize(
    "words", ["None, it is internal.", "None - words in the docs change", "I don't know of any.", "No risks (docs)"]
)
def test_a_denial_with_its_reason_is_no_risk(words: str) -> None:
    assert dangers(f"## Risks\n{words}\n") == []


@pytest.mark.parametrize(
    "words",
    ["None, but rows may get lost", "No risk assessment was made", "Nothing warns who loses a row", "None fits"],
)
def test_what_begins_like_a_denial_and_says_more_is_a_risk(words: str) -> None:
    assert dangers(f"## Risks\n- {words}\n") == [words]


@pytest.mark.parametrize("words", ["Risks", "Known risks", "Danger!", "There are no known risks.", "No risks so far"])
def test_a_name_and_a_denial_name_no_risk(words: str) -> None:
    assert not names_a_risk(words)
