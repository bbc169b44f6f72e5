"""How requests are read: sections, lists, scenarios, sentences, and what is taken from them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agents.words import sections, subjects
from core.agents.words.choices import choices
from core.agents.words.conditions import conditions
from core.agents.words.dangers import risks
from core.agents.words.document import CODE, ITEM, PARAGRAPH, parse
from core.agents.words.mentions import mentions
from core.agents.words.request import read_request
from core.agents.words.six_w import Reading, confidence, six_w
from core.agents.words.steps import listed_tasks
from core.agents.words.text import as_text, content_stems, plain, sentences, words
from core.placeholders import is_placeholder
from tests.unit.request_samples import BUG, FEATURE, GHERKIN, MAIL, PLANNED, TERSE


def texts(body: str) -> list[str]:
    return [said.text for said in conditions(parse(body))]


def split(text: str) -> list[str]:
    return [sentence for _, sentence in sentences(text)]


def test_sentences_end_where_a_reader_ends_them() -> None:
    assert split("It fails. Why? Nobody knows!") == ["It fails.", "Why?", "Nobody knows!"]


@pytest.mark.parametrize(
    "whole",
    [
        "Use e.g. the new parser for it.",
        "Since 1.2.3 the file config.yaml is ignored.",
        "See https://example.org/a.html?x=1. for more",
        "Run `a. b. c.` twice.",
        "Wait... then go on.",
        "Mr. Smith and Dr. No agree, cf. the minutes.",
        "Sort by name, date etc. before export.",
    ],
)
def test_full_stops_within_a_sentence_do_not_end_it(whole: str) -> None:
    assert len(split(whole)) == 1 or whole.startswith("See")
    assert "".join(split(whole)).replace(" ", "") == whole.replace(" ", "")


def test_marks_are_taken_off_and_code_is_left_as_it_is_written() -> None:
    assert plain("**Bold** and *soft* [link](https://x.y) `__init__` <br> *.py and *.md <year>") == (
        "Bold and soft link `__init__` *.py and *.md <year>"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, ""), ({"a": 1}, ""), (7, "7"), (["a", None, ["b"]], "a\nb"), ("a\0b\x1b]52;c;x\x07", "ab")],
)
def test_any_field_becomes_text(value: object, text: str) -> None:
    assert as_text(value) == text


def test_words_of_one_family_are_compared_as_equal() -> None:
    assert content_stems("The exported files") == content_stems("export a file")


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Acceptance Criteria", sections.CRITERIA),
        ("Definition of done (draft)", sections.CRITERIA),
        ("3. Risks and concerns", sections.RISKS),
        ("Why now", sections.CONTEXT),
        ("Steps to reproduce", sections.REPRODUCTION),
        ("Non-goals", sections.EXCLUDED),
        ("Value objects", sections.UNNAMED),
        ("Draft acceptance criteria", sections.CRITERIA),
        ("Who is affected?", sections.WHO),
        ("What users must learn before they can use any of the new things", sections.UNNAMED),
    ],
)
def test_headings_open_sections_by_many_names(heading: str, kind: str) -> None:
    assert sections.kind_of_heading(heading) == kind


@pytest.mark.parametrize(
    "body",
    [
        "## Risks\n\nIt may break.",
        "Risks\n-----\nIt may break.",
        "**Risks**\n\nIt may break.",
        "**Risks:** It may break.",
        "Risks:\n\nIt may break.",
        "Risk: It may break.",
        "> ## Risks\n> It may break.",
        "    ## Risks\n    It may break.",
        "- Risk: It may break.",
    ],
)
def test_every_way_to_write_a_heading_opens_the_section(body: str) -> None:
    (block,) = parse(body).blocks
    assert (block.section, block.text) == (sections.RISKS, "It may break.")


def test_a_labelled_line_says_nothing_about_the_next_paragraph() -> None:
    document = parse("Deadline: Friday\n\nThe list is too long.")
    assert [block.section for block in document.blocks] == [sections.WHEN, sections.UNNAMED]


def test_an_unknown_heading_divides_the_section_it_stands_in() -> None:
    document = parse("## Acceptance criteria\n### Export\n- a b c\n## Colours\n- d e f")
    assert [block.section for block in document.blocks] == [sections.CRITERIA, sections.UNNAMED]


def test_continued_lines_belong_to_their_item_and_every_block_knows_its_line() -> None:
    item, nested, paragraph = parse("\n- one\n  and more\n  1. under it\n\nafter").blocks
    assert (item.kind, item.text, item.line) == (ITEM, "one and more", 2)
    assert (nested.text, nested.depth, nested.marker) == ("under it", 1, "1.")
    assert (paragraph.kind, paragraph.line) == (PARAGRAPH, 6)


LISTED = ["The table has a header.", "Each word has a row.", "Long words are cut."]


@pytest.mark.parametrize("mark", ["{number}.", "{number})", "({number})", "{letter})", "({letter})"])
@pytest.mark.parametrize("before", ["", "It has to hold what users of the copy ask for: ", "Three things are asked. "])
@pytest.mark.parametrize("between", [" ", "\n"])
def test_a_list_on_one_line_is_its_items(mark: str, before: str, between: str) -> None:
    marked = (f"{mark.format(number=n + 1, letter='abc'[n])} {text}" for n, text in enumerate(LISTED))
    document = parse(f"Acceptance criteria: {before}{between.join(marked)}\n\nRisks: none")

    assert [block.text for block in document.of(sections.CRITERIA) if block.kind == ITEM] == LISTED
    assert [said.text for said in conditions(document)] == LISTED


def test_an_item_that_goes_on_with_the_next_number_is_two() -> None:
    assert texts(
        "## Acceptance criteria\n1. The table has a header. 2. Each word has a row;\n3. Long words\nare cut."
    ) == [
        "The table has a header.",
        "Each word has a row",
        "Long words are cut.",
    ]


def test_of_a_list_on_one_line_each_item_knows_the_line_it_begins_on() -> None:
    document = parse("It must: 1. Sort the rows by\ntheir names. 2. Keep\nthe header.")

    assert [(block.text, block.line, block.lead_in) for block in document.blocks if block.kind == ITEM] == [
        ("Sort the rows by their names.", 1, "It must:"),
        ("Keep the header.", 2, "It must:"),
    ]
    assert [document.blocks[1].line_at(offset) for offset in (0, 20)] == [1, 2]


@pytest.mark.parametrize(
    "prose",
    [
        "It runs on version 1. The next one, version 2. It is not out.",
        "It takes at least 1. Then 2. Then 3.",
        "Since 1.2. it fails: 1.5 seconds pass, then 2.5 seconds.",
        "It was so on 1. May and on 2. June 2026.",
        "See no. 1. The others, no. 2. and no. 3. are gone.",
        "It has two faults: 1. It is slow.",
        "It says: 2. is wrong. 3. is right.",
        "Run `x: 1. a. 2. b.` twice.",
        "It was seen twice. (a reader wrote so) It was mended.",
    ],
)
def test_numbers_in_prose_are_no_list(prose: str) -> None:
    assert [block.kind for block in parse(prose).blocks] == [PARAGRAPH]


@given(st.lists(st.sampled_from([*LISTED, "1. ", "2. ", "3) ", "(1) ", "a) ", "b) ", ": ", "\n", "no. ", "x "])))
def test_of_a_list_on_one_line_nothing_is_lost_but_its_marks(parts: list[str]) -> None:
    body = "Then " + "".join(parts)
    document = parse(body)
    kept = " ".join(f"{block.marker} {block.text}" for block in document.blocks)

    assert words(kept) == words(body)
    assert all(1 <= block.line <= body.count("\n") + 1 for block in document.blocks)


@pytest.mark.parametrize(
    ("text", "holds_only_a_place"),
    [("2.", True), ("(3)", True), ("…", True), ("TBD", True), ("31.12.2026", False), ("0.4", False), ("42", False)],
)
def test_a_list_s_mark_alone_is_a_placeholder(text: str, holds_only_a_place: bool) -> None:
    assert is_placeholder(text) is holds_only_a_place


def test_a_sentence_knows_the_line_it_begins_on() -> None:
    said = list(parse("One here.\nTwo starts\nand ends. Three.").sentences(sections.UNNAMED))
    assert [(s.text, s.line) for s in said] == [("One here.", 1), ("Two starts and ends.", 2), ("Three.", 3)]


@pytest.mark.parametrize(
    "code",
    [
        "```python\nit must not count\n```",
        "~~~\nit must not count",
        "text\n\n    it must not count",
        'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: it must not count',
        "2024-05-01 10:00:00 it must not count",
        ">>> it_must('not count')",
    ],
)
def test_code_and_output_are_no_prose(code: str) -> None:
    document = parse(code)
    assert [block for block in document.blocks if block.kind == CODE]
    assert not any("must" in said.text for said in document.sentences(sections.UNNAMED))


def test_comments_of_a_template_are_not_read() -> None:
    assert texts("<!-- it must\nnot count -->\n- the first thing\n- the second thing\n- the third thing") == [
        "the first thing",
        "the second thing",
        "the third thing",
    ]


LINES = st.sampled_from(
    [line for body in (FEATURE, BUG, GHERKIN, MAIL, TERSE, PLANNED) for line in body.splitlines()]
    + [
        "",
        "",
        "# ",
        "- ",
        "1. ",
        "|",
        "| a | b |",
        "|---|---|",
        "```",
        "> ",
        "Given x",
        "Then y",
        "Scenario: z",
        "<!--",
    ]
    + [
        "    deep",
        "\tTab",
        "---",
        "===",
        "**",
        "`",
        "Risks:",
        "\0\x1b]0;x\x07",
        "\u202e",
        "Traceback (most recent call last):",
    ]
)
BODIES = st.lists(st.one_of(LINES, st.text(max_size=60)), max_size=40).map("\n".join)


def squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


@settings(max_examples=200, deadline=None)
@given(BODIES)
def test_nothing_that_is_read_was_not_written(body: str) -> None:
    raw = read_request({"title": body, "body": body, "tags": [body, None], "impact": body})
    document = raw.document
    source = squeezed(raw.body)
    dangers = risks(document)
    found = [said.text for said in raw.conditions]
    found += [words for danger in dangers for words in (danger.text, danger.mitigation)]
    found += [task.text for task in listed_tasks(document)]
    for text in found:
        for part in re.split(r"[;:,.…]", text):
            assert squeezed(part) in source
    assert confidence(six_w(Reading.of(raw.title, raw.document, "general", raw.conditions))) <= 1.0
    assert mentions(raw.title, document) == mentions(raw.title, document)


@settings(max_examples=100, deadline=None)
@given(BODIES)
def test_reading_twice_gives_the_same_and_lines_are_in_range(body: str) -> None:
    text = as_text(body)
    parse.cache_clear()
    first = parse(text)
    parse.cache_clear()
    assert parse(text) == first
    assert all(1 <= line <= text.count("\n") + 1 for block in first.blocks for _, line in block.starts)


@pytest.mark.parametrize(
    "unit",
    [".", "`", ">", "[", "a-", "a/", "<a ", "_a ", "```a\n", "Given a\n", "<!-- a\n", "- a\n", "if might then ",
     "**a\n", "|", "depends on a ", "Risk: a\n", "in the a ", " ", "[a](", "a. "],
)  # fmt: skip
def test_a_long_body_of_one_shape_is_read_to_its_end(unit: str) -> None:
    """Anything quadratic would take hours here."""
    raw = read_request({"title": "t", "body": unit * (100_000 // len(unit))})
    six_w(Reading.of(raw.title, raw.document, "general", raw.conditions))
    risks(raw.document)
    listed_tasks(raw.document)
    mentions(raw.title, raw.document)
    choices([raw.body])
    subjects.domain_of(raw.title, subjects.prose(raw.document))
