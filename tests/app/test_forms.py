from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.governance.answers import SHAPES as LEGAL
from core.governance.answers import check_answer
from tests.app.asked import answers
from tests.app.driving import SMALL, app_in, lines_of, opened, press, screen_text, settle
from tests.app.seeding import Option, Question, SeededWorkspace, raise_question
from tui.questions import forms
from tui.questions.answer_parts import Part, six_w_short
from tui.screens.dialogs.form import Complaint, Label
from tui.screens.questions.answer_form import AnswerForm
from tui.widgets.fields import Area, Field


@pytest.mark.parametrize(
    ("shape", "typed", "value"),
    [
        ("text", "  because \n", "because"),
        ("lines", "one\n\n two ", ["one", "two"]),
        ("map", "R1: keep a backup\nR2: ask: twice", {"R1": "keep a backup", "R2": "ask: twice"}),
        ("numbers", "T1: 2\nT2: 1,5 h", {"T1": 2.0, "T2": 1.5}),
        ("lists", "T2: T1, T3\nT1:", {"T2": ["T1", "T3"], "T1": []}),
        (
            "tasks",
            "Write it | AC1, AC2\nTest it",
            [
                {"id": "T1", "title": "Write it", "criteria": ["AC1", "AC2"]},
                {"id": "T2", "title": "Test it", "criteria": []},
            ],
        ),
        ("flag", "Yes", True),
        ("flag", "n", False),
    ],
)
def test_what_is_typed_becomes_the_value_that_its_shape_takes(shape: str, typed: str, value: Any) -> None:
    values = forms.read_values({"key": shape}, {"key": typed})
    assert values == {"key": value}
    assert check_answer(1, {"key": shape}, values) is not None


def test_every_shape_that_an_answer_may_have_can_be_typed() -> None:
    assert set(forms.SHAPES) == set(LEGAL)


def test_risks_may_be_typed_with_what_will_be_done_about_them() -> None:
    typed = {"risks": "it is slow => measure first\nit breaks"}
    values = forms.read_values({"risks": "lines"}, typed)
    assert values == {"risks": [{"text": "it is slow", "mitigation": "measure first"}, "it breaks"]}
    assert check_answer(1, {"risks": "lines"}, values)


def test_fields_left_empty_are_left_out_but_not_all_of_them() -> None:
    asks = {"who": "text", "why": "text"}
    assert forms.read_values(asks, {"who": "finance", "why": " "}) == {"who": "finance"}
    with pytest.raises(forms.NotReadable, match="Nothing is filled in"):
        forms.read_values(asks, {})


@pytest.mark.parametrize(
    ("shape", "typed", "said"),
    [
        ("map", "no colon", "is not written as `id: value`"),
        ("numbers", "T1: soon", "'soon' is no number"),
        ("flag", "maybe", "neither yes nor no"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_field(shape: str, typed: str, said: str) -> None:
    with pytest.raises(forms.NotReadable, match=f"^the key: .*{said}"):
        forms.read_values({"the_key": shape}, {"the_key": typed})


def test_a_fault_names_the_value_it_is_in() -> None:
    with pytest.raises(forms.NotReadable) as fault:
        forms.read_values({"who": "text", "estimates": "numbers"}, {"who": "finance", "estimates": "T1: soon"})
    assert fault.value.key == "estimates.T1"


@pytest.mark.parametrize("shape", ["map", "numbers", "tasks"])
def test_what_a_field_begins_with_says_nothing_until_something_is_added(shape: str) -> None:
    begun = forms.begun(shape, ["AC1", "AC3"])
    assert begun.count("\n") == 1
    with pytest.raises(forms.NotReadable, match="Nothing is filled in"):
        forms.read_values({"key": shape}, {"key": begun})


def test_of_what_a_field_begins_with_only_what_was_added_to_is_sent() -> None:
    assert forms.read_values({"criteria": "map"}, {"criteria": "AC1: \nAC3: seen by hand"}) == {
        "criteria": {"AC3": "seen by hand"}
    }
    assert forms.read_values({"tasks": "tasks"}, {"tasks": " | AC1\nTest it | AC3"}) == {
        "tasks": [{"id": "T1", "title": "Test it", "criteria": ["AC3"]}]
    }


def test_a_field_of_lists_begins_empty_since_an_empty_list_says_something() -> None:
    assert forms.begun("lists", ["T1", "T2"]) == ""


@given(st.sampled_from(sorted(forms.SHAPES)), st.text(max_size=200))
def test_nothing_that_can_be_typed_breaks_a_form(shape: str, typed: str) -> None:
    with suppress(forms.NotReadable):
        forms.read_values({"key": shape}, {"key": typed})


def test_fields_come_in_the_order_in_which_one_thinks_of_them() -> None:
    assert forms.in_order(["why", "zebra", "risks", "business_context"]) == [
        "business_context",
        "risks",
        "why",
        "zebra",
    ]


GATES: dict[str, tuple[dict[str, str], tuple[str, ...], dict[str, str]]] = {
    "R1": ({"criteria": "map"}, ("criteria: AC3 is not verified",), {"criteria": "AC3: "}),
    "P1": (
        {"tasks": "tasks", "estimates": "numbers", "depends_on": "lists", "mitigations": "map"},
        ("tasks: no task for AC2", "estimates: T1 has none", "mitigations: no plan for R1"),
        {"tasks": " | AC2", "estimates": "T1: ", "depends_on": "", "mitigations": "R1: "},
    ),
    "D1": (
        {"who": "text", "what": "text"},
        ("six_w_confidence: 0.40 of 0.70 (weak: who, when)",),
        {"who": "", "what": ""},
    ),
}


async def _form_of(
    pilot: Any, asks: dict[str, str], missing: tuple[str, ...], names: dict[str, dict[str, str]] | None = None
) -> AnswerForm:
    question = Question(
        kind="gate",
        subject={"n": 1},
        question="Supply it?",
        urgency="DAILY",
        options=(Option("supply", "Supply what is missing", "It goes on.", asks=asks, names=names or {}),),
        recommended="supply",
        chain=("definition-orch",),
        missing=missing,
    )
    app = app_in(pilot)
    app.open_question(await app.workspace.store.write(lambda tx: raise_question(tx, question)))
    await settle(pilot)
    await press(pilot, "e")
    assert isinstance(pilot.app.screen, AnswerForm)
    return pilot.app.screen


@pytest.mark.parametrize("gate", GATES)
async def test_a_form_begins_with_what_the_gate_named(empty_workspace: SeededWorkspace, gate: str) -> None:
    asks, missing, begun = GATES[gate]
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, asks, missing)
        assert form.by_value() == begun


THIN_D1 = (
    "acceptance_criteria: 2 of 3",
    "six_w_confidence: 0.40 of 0.70 (weak: when, where, how)",
)


@pytest.mark.parametrize(
    ("typed", "short"),
    [
        ({}, "when, where, how are empty: 0.40 of 0.70"),
        ({"when": "in May"}, "where, how are empty: at most 0.57 of 0.70"),
        ({"when": " ", "where": "in the list"}, "when, how are empty: at most 0.57 of 0.70"),
        ({"who": "Ada", "why": "It is slow"}, "when, where, how are empty: at most 0.50 of 0.70"),
        ({"when": "in May", "where": "in the list"}, ""),
    ],
)
def test_what_the_six_questions_would_still_miss(typed: dict[str, str], short: str) -> None:
    assert six_w_short(THIN_D1, typed) == short
    assert six_w_short(THIN_D1[:1], typed) == ""


async def test_the_form_names_all_that_the_gate_would_miss_again(empty_workspace: SeededWorkspace) -> None:
    asks = {"acceptance_criteria": "lines", **dict.fromkeys(("who", "what", "when", "where", "why", "how"), "text")}
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, asks, THIN_D1)
        form.query_one("#value-who", Field).value = "Ada"
        await press(pilot, "f2")
        told = "acceptance criteria 2 of 3; when, where, how are empty: at most 0.45 of 0.70"
        assert told in " ".join(screen_text(pilot).replace("│", " ").split())


def said_below(form: AnswerForm) -> str:
    return form.query_one("#box > Complaint", Complaint).text


async def test_a_complaint_is_about_what_is_typed_now(empty_workspace: SeededWorkspace) -> None:
    asks = {"acceptance_criteria": "lines", **dict.fromkeys(("who", "what", "when", "where", "why", "how"), "text")}
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, asks, THIN_D1)
        when = form.query_one("#label-when", Label)
        assert "too little is said about it" in lines_of(when)[0]
        await press(pilot, "f2")
        assert said_below(form) == "Nothing is filled in yet."
        form.query_one("#value-when", Field).value = "in May"
        await settle(pilot)
        told = "The gate would ask again: acceptance criteria 2 of 3; where, how are empty: at most 0.57 of 0.70."
        assert said_below(form) == told
        assert "too little" not in lines_of(when)[0]
        await press(pilot, "f2")
        assert said_below(form) == f"{told} Send once more to send it as it is."
        form.query_one("#value-where", Field).value = "in the list"
        form.query_one("#value-acceptance_criteria", Area).text = "it sorts"
        await settle(pilot)
        assert said_below(form) == ""


async def test_a_choice_ends_the_complaint_that_nothing_is_filled_in(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, {"tests_updated": "flag"}, ())
        assert said_below(form) == ""
        await press(pilot, "f2")
        assert said_below(form) == "Nothing is filled in yet."
        await press(pilot, "right")
        assert said_below(form) == ""


async def test_what_is_typed_first_goes_behind_the_id_that_is_missing(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, GATES["R1"][0], GATES["R1"][1])
        await press(pilot, *"yes")
        assert form.by_value() == {"criteria": "AC3: yes"}


async def test_a_criterion_is_asked_about_in_its_own_words_and_has_its_own_field(
    empty_workspace: SeededWorkspace,
) -> None:
    said = "The README says which languages there are"
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, GATES["R1"][0], GATES["R1"][1], {"criteria": {"AC3": said}})
        assert f"AC3  {said}" in screen_text(pilot)
        await press(pilot, *"seen: it does")
        assert form.by_value() == {"criteria": "AC3: seen: it does"}
        await press(pilot, "escape")
        assert f"AC3 is not verified: “{said}”" in screen_text(pilot)


async def test_what_the_gate_said_stands_at_the_value_it_is_about(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await _form_of(pilot, GATES["D1"][0], GATES["D1"][1])
        text = screen_text(pilot)
    assert "who  too little is said about it" in text
    assert "what  too little" not in text


TYPED = {
    "text": ("because", "because"),
    "lines": ("one\ntwo", ["one", "two"]),
    "map": ("AC1: by hand", {"AC1": "by hand"}),
    "numbers": ("T1: 2.5", {"T1": 2.5}),
    "lists": ("T2: T1", {"T2": ["T1"]}),
    "tasks": ("Write it | AC1", [{"id": "T1", "title": "Write it", "criteria": ["AC1"]}]),
}


@pytest.mark.parametrize("shape", TYPED)
async def test_every_shape_is_filled_in_and_sent_by_key(empty_workspace: SeededWorkspace, shape: str) -> None:
    typed, value = TYPED[shape]
    keys = ["enter" if c == "\n" else KEYS.get(c, c) for c in typed]
    async with opened(empty_workspace) as pilot:
        await _form_of(pilot, {"part": shape}, ())
        await press(pilot, *keys, "f2")
        given = await answers(empty_workspace, 1)
    assert [answer.answer for answer in given] == [{"part": value}]


KEYS = {" ": "space", ":": "colon", "|": "vertical_line", ".": "full_stop"}


async def test_yes_and_no_are_picked(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        await _form_of(pilot, {"part": "flag"}, ())
        await press(pilot, "f2")
        assert "Nothing is filled in yet." in screen_text(pilot)
        await press(pilot, "right", "right", "f2")
        given = await answers(empty_workspace, 1)
    assert [answer.answer for answer in given] == [{"part": False}]


async def test_a_fault_leads_to_its_field(empty_workspace: SeededWorkspace) -> None:
    async with opened(empty_workspace) as pilot:
        form = await _form_of(pilot, {"who": "text", "estimates": "numbers"}, ())
        form.query_one("#value-estimates", Area).text = "T1: soon"
        await press(pilot, *"finance", "f2")
        assert "'soon' is no number" in screen_text(pilot)
        assert form.focused is form.query_one("#value-estimates")


async def test_at_the_smallest_size_the_last_field_can_be_reached(empty_workspace: SeededWorkspace) -> None:
    asks = dict.fromkeys(("who", "what", "when", "where", "why", "how"), "text")
    async with opened(empty_workspace, SMALL) as pilot:
        form = await _form_of(pilot, asks, ())
        await press(pilot, *["tab"] * 5, *"last")
        assert form.focused is form.query_one("#value-how")
        assert "last" in screen_text(pilot)
        assert "f2 send" in screen_text(pilot)


@pytest.mark.parametrize(
    ("said", "typed", "amount", "falls_short"),
    [
        ("5 of 50 characters", " abc ", "8 of 50 characters", True),
        ("5 of 8 characters", "abc", "8 of 8 characters", False),
        ("1 of 3", "one\n\n two", "3 of 3", False),
        ("0 of 1", "", "0 of 1", True),
        ("AC3 is not verified", "", "", False),
    ],
)
def test_what_the_gate_counts_is_counted_while_one_types(said: str, typed: str, amount: str, falls_short: bool) -> None:
    part = Part("business_context", "text", forms.shape_of("business_context", "text"), said, "")
    assert (part.amount(typed), part.falls_short(typed)) == (amount, falls_short)


async def test_a_resize_keeps_the_field_in_sight(busy_workspace: SeededWorkspace) -> None:
    async with opened(busy_workspace) as pilot:
        await press(pilot, "space", "space", "e", "tab", "tab")
        await pilot.resize_terminal(*SMALL)
        await settle(pilot)
        field = app_in(pilot).focused
        assert field is not None
        assert pilot.app.screen.query_one("#fields").content_region.contains_region(field.region)
