"""An answer as a file: what it tells, what it takes, and what comes back with a fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json
from core.governance.answers import SHAPES, check_answer
from core.placeholders import is_placeholder
from core.store.rows import EscalationRow
from tui.questions.answer_file import file_of, read_file, with_fault
from tui.questions.forms import NotReadable

ASKS = {
    "business_context": "text",
    "acceptance_criteria": "lines",
    "risks": "lines",
    "who": "text",
    "estimates": "numbers",
    "depends_on": "lists",
    "criteria": "map",
    "tasks": "tasks",
    "agreed": "flag",
}
MISSING = ("business_context: 13 of 50 characters", "criteria: AC3 is not verified", "estimates: T1 has none")
SUPPLY: Json = {"key": "supply", "label": "Supply what is missing", "consequence": "It goes on.", "asks": ASKS}

QUESTION = EscalationRow(
    id=3,
    kind="gate",
    key="k",
    question="D1 Definition: 4 of 4 criteria are not met. " + "Say why this matters. " * 12,
    details={},
    urgency="DAILY",
    work_item=1,
    phase="D1",
    round=1,
    blocks="D1",
    chain=["definition-orch"],
    missing=list(MISSING),
    options=[SUPPLY],
    recommended="supply",
    payload_digest="d",
    count=1,
    raised_at=0,
    last_raised_at=0,
    due_at=None,
    acknowledged_at=None,
    acknowledged_until=None,
    acknowledged_by=None,
    snoozed_until=None,
    assigned_to=None,
    merged_into=None,
    resolved_at=None,
    withdrawn_at=None,
    expired_at=None,
    reminders=0,
    reminded_at=None,
    next_at=None,
    expires_at=None,
    breaches=0,
    note="",
)


def read(text: str, asks: dict[str, str] | None = None, *, needs_reason: bool = False) -> tuple[Json, str]:
    return read_file(QUESTION, {**SUPPLY, "asks": asks or ASKS}, needs_reason, text)


def test_the_file_tells_the_question_each_value_its_shape_and_what_the_gate_said() -> None:
    text = file_of(QUESTION, SUPPLY, False)
    assert text.startswith("# Question 3: Supply what is missing\n# D1 Definition: 4 of 4 criteria are not met.")
    assert "# business context: 13 of 50 characters" in text
    assert all(f"\n{key}:" in text for key in ASKS)
    assert all(shape in text.replace("\n# ", " ") for shape in (SHAPES["numbers"], SHAPES["tasks"]))
    assert max(map(len, text.splitlines())) <= 100


def test_as_it_is_opened_it_answers_nothing() -> None:
    with pytest.raises(NotReadable, match="nothing is filled in yet"):
        read(file_of(QUESTION, SUPPLY, False))


def test_identifiers_that_the_gate_named_stand_there_to_be_filled_in() -> None:
    text = file_of(QUESTION, SUPPLY, False)
    assert "criteria:\n  AC3:\n" in text
    filled = text.replace("  AC3:\n", "  AC3: seen by hand\n").replace("  T1:\n", "  T1: 2.5\n")
    assert read(filled) == ({"criteria": {"AC3": "seen by hand"}, "estimates": {"T1": 2.5}}, "")


def test_what_stands_in_the_form_is_in_the_file_as_values() -> None:
    typed = {
        "business_context": "Finance waits.\nIt costs a day.",
        "acceptance_criteria": "one\ntwo: with a colon",
        "risks": "slow => measure",
        "estimates": "T1: 2",
        "tasks": "Write it | AC1",
        "agreed": "yes",
    }
    values, _ = read(file_of(QUESTION, SUPPLY, False, typed))
    assert values == {
        "business_context": "Finance waits.\nIt costs a day.",
        "acceptance_criteria": ["one", "two: with a colon"],
        "risks": [{"text": "slow", "mitigation": "measure"}],
        "estimates": {"T1": 2.0},
        "tasks": [{"id": "T1", "title": "Write it", "criteria": ["AC1"]}],
        "agreed": True,
    }


def test_what_cannot_be_read_in_the_form_yet_goes_along_as_it_was_typed() -> None:
    text = file_of(QUESTION, SUPPLY, False, {"estimates": "T1: soon"})
    assert "T1: soon" in text
    with pytest.raises(NotReadable, match="estimates must be an object with a number"):
        read(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who: [a, b]", "line 1: who must be a text."),
        ("# a comment\n\nversion: 1", "line 3: 'version' was not asked for; it takes business_context"),
        ("estimates:\n  T1: soon", "line 1: estimates must be an object with a number for each id."),
        ("who: 1.20", "line 1: who must be a text; put it in quotes, or it is read as a number."),
        ("who: a\nwho: b", "line 2: .*who"),
        ("who: 'half", "line [12]: "),
        ("who: finance\nbusiness_context: TBD", "line 2: business_context: 'TBD' only holds a place; write what is"),
        ("- one", "no list of `name: value`"),
        ("", "nothing is filled in yet"),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(NotReadable, match=said):
        read(text)


def test_words_that_other_yaml_takes_for_something_else_are_words() -> None:
    assert read("who: off\nbusiness_context: 2026-03-05")[0] == {"who": "off", "business_context": "2026-03-05"}


def test_another_answer_than_the_recommended_one_needs_its_reason() -> None:
    assert "\nreason:" in file_of(QUESTION, SUPPLY, True)
    with pytest.raises(NotReadable, match="say why under `reason`"):
        read("who: finance", needs_reason=True)
    assert read("who: finance\nreason: it is cheap", needs_reason=True) == ({"who": "finance"}, "it is cheap")


def test_a_second_fault_takes_the_place_of_the_first() -> None:
    once = with_fault("who: 1\n", "line 1: no.\x1b[2J")
    twice = with_fault(once, "line 1: still no.")
    assert once.splitlines()[0] == "# ! Not sent: line 3: no."
    assert twice.splitlines() == ["# ! Not sent: line 1: still no.", "# ! Mend it, save and close.", "who: 1"]


def test_hostile_words_of_the_question_stay_comments() -> None:
    hostile = replace(QUESTION, question="x\nwho: me\x1b[2J", missing=["who:\nbusiness_context: stolen"])
    with pytest.raises(NotReadable, match="nothing is filled in yet"):
        read_file(hostile, SUPPLY, False, file_of(hostile, SUPPLY, False))


@given(st.text(max_size=300))
def test_nothing_that_can_be_saved_gets_by_the_checks(text: str) -> None:
    try:
        values, _ = read(text)
    except NotReadable:
        return
    assert check_answer(3, {key: ASKS[key] for key in values}, values)


@given(st.dictionaries(st.sampled_from(["who", "business_context"]), st.text(min_size=1, max_size=80), min_size=1))
def test_what_is_typed_in_the_form_survives_the_way_through_the_file(typed: dict[str, Any]) -> None:
    wanted = {key: text.strip() for key, text in typed.items() if text.strip()}
    clean = {key: text for key, text in typed.items() if text.isprintable()}
    if clean != typed or not wanted or any(map(is_placeholder, wanted.values())):
        return
    assert read(file_of(QUESTION, SUPPLY, False, typed))[0] == wanted
