"""An answer is put together from its events, and nothing that a server sends is more than a broken answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.session import Alone
from core.contract import Json
from core.runtimes.models.assembling import Assembly, Broken, ErrorEvent
from core.runtimes.models.meter import Meter

scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3)
words = st.sampled_from(
    [
        "text",
        "tool_use",
        "text_delta",
        "input_json_delta",
        "thinking_delta",
        "citations_delta",
        "end_turn",
        "max_tokens",
    ]
)
objects = st.recursive(
    scalars | words,
    lambda inner: st.dictionaries(
        st.sampled_from(
            [
                "type",
                "text",
                "partial_json",
                "id",
                "name",
                "input",
                "usage",
                "input_tokens",
                "output_tokens",
                "stop_reason",
            ]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=8,
)
events = scalars | st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "message_start",
                "content_block_start",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
                "error",
                "ping",
                "new",
            ]
        )
    },
    optional={
        "index": scalars,
        "message": objects,
        "content_block": objects,
        "delta": objects,
        "usage": objects,
        "error": objects,
    },
)


def assembled(*taken: object) -> Assembly:
    assembly = Assembly(Meter(Alone(), "m", None))
    for event in taken:
        assembly.take(event)
    return assembly


def block(index: int, **content: object) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": content}


def delta(index: int, type_: str, **content: object) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": {"type": type_, **content}}


END: Json = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}}


def test_blocks_come_together_in_their_order() -> None:
    answer = assembled(
        block(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "signature_delta", signature="sig"),
        block(1, type="text", text=""),
        delta(1, "text_delta", text="I "),
        delta(1, "text_delta", text="read."),
        block(2, type="tool_use", id="t", name="read", input={}),
        delta(2, "input_json_delta", partial_json='{"path": '),
        delta(2, "input_json_delta", partial_json='"a"}'),
        block(3, type="tool_use", id="u", name="list", input={}),
        block(4, type="text", text=""),
        END,
    )

    assert answer.content() == (
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "I read."},
        {"type": "tool_use", "id": "t", "name": "read", "input": {"path": "a"}},
        {"type": "tool_use", "id": "u", "name": "list", "input": {}},
    )


@pytest.mark.parametrize("arguments", ['{"path": ', "[1]", "7", '"text"'])
def test_a_tool_call_without_whole_arguments_breaks_the_answer(arguments: str) -> None:
    call = block(0, type="tool_use", id="t", name="read", input={})

    with pytest.raises(Broken):
        assembled(call, delta(0, "input_json_delta", partial_json=arguments), END).content()


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "[" * 300 + "]" * 300])
def test_arguments_that_no_document_can_hold_break_the_answer(number: str) -> None:
    call = block(0, type="tool_use", id="t", name="read", input={})

    with pytest.raises(Broken, match=r"no number of JSON|within each other"):
        assembled(call, delta(0, "input_json_delta", partial_json=f'{{"line": {number}}}'), END).content()


@pytest.mark.parametrize(
    "content",
    [
        {"text": "no type"},
        {"type": 7, "text": "x"},
        {"type": "text", "text": 7},
        {"type": "thinking", "thinking": ["x"]},
        {"type": "server_tool", "input": {"n": float("nan")}},
        {"type": "tool_use", "id": "t", "name": "read", "input": {"n": float("inf")}},
    ],
)
def test_a_block_of_another_shape_breaks_the_answer(content: Json) -> None:
    with pytest.raises(Broken):
        assembled(block(0, **content), END).content()


def test_a_report_of_no_output_is_none_where_output_came() -> None:
    meter = Meter(Alone(), "m", None)
    answer = Assembly(meter)
    nothing = {**END, "usage": {"output_tokens": 0}}
    for event in (block(0, type="text", text=""), delta(0, "text_delta", text="much " * 1_000), nothing):
        answer.take(event)
    assert answer.content()
    assert meter.usage().output >= 1_000

    silent = Meter(Alone(), "m", None)
    Assembly(silent).take(nothing)
    assert silent.usage().output == 0


def test_an_answer_without_a_reason_for_its_end_is_none() -> None:
    with pytest.raises(Broken, match="ended before"):
        assembled(block(0, type="text", text="half")).content()


@given(taken=st.lists(events, max_size=12))
def test_whatever_a_server_sends_the_answer_is_whole_or_broken(taken: list[object]) -> None:
    try:
        content = assembled(*taken, END).content()
    except (Broken, ErrorEvent):
        return

    assert all(isinstance(part["name"], str) for part in content if part.get("type") == "tool_use")
