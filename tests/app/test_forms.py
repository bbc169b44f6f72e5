from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.governance.answers import SHAPES as LEGAL
from core.governance.answers import check_answer
from tui import forms


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
