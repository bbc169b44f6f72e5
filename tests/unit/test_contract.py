"""The contract's JSON: there and back, equal digests for equal questions, clear errors for the rest."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import (
    AgentRequest,
    AgentResponse,
    Artifact,
    Status,
    UsageError,
    Written,
    canonical_json,
    canonical_object,
    digest_of,
    digest_of_text,
    succeeded,
)

plain = st.dictionaries(st.text(max_size=10), st.integers() | st.text(max_size=20) | st.none(), max_size=5)


@given(content=plain, context=plain)
def test_a_request_survives_its_json(content: dict[str, object], context: dict[str, object]) -> None:
    request = AgentRequest("definition-orch", content, context, "ac-writer")

    assert AgentRequest.from_json(request.to_json()) == request


@given(output=plain, status=st.sampled_from(Status))
def test_a_response_survives_its_json(output: dict[str, object], status: Status) -> None:
    response = AgentResponse("ac-writer", output, status, {"seconds": 1})

    assert AgentResponse.from_json(response.to_json()) == response


def test_the_order_of_keys_does_not_change_a_digest() -> None:
    assert digest_of({"a": 1, "b": [2, {"c": 3, "d": 4}]}) == digest_of({"b": [2, {"d": 4, "c": 3}], "a": 1})


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": float("nan")})


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(Status)
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=4) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(anything)
def test_canonical_json_is_what_the_standard_library_writes_or_refuses(value: object) -> None:
    def written(write: Callable[[object], str]) -> str:
        try:
            return write(value)
        except (TypeError, ValueError):
            return "refused"

    by_standard = functools.partial(
        json.dumps, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    assert written(canonical_json) == written(by_standard)


def test_what_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(ValueError, match="Circular"):
        canonical_json(endless)


def test_an_artifact_is_known_by_type_and_content() -> None:
    one, other = Artifact("request.raw", {"title": "x"}, "a"), Artifact("plan.snapshot", {"title": "x"}, "a")

    assert one.digest != other.digest
    assert one.digest == Artifact("request.raw", {"title": "x"}, "somebody else").digest


@pytest.mark.parametrize(
    ("change", "says"),
    [({"status": "DONE"}, "SUCCESS, FAILURE, BLOCKED"), ({"extra": 1}, "'extra' is unknown")],
)
def test_a_malformed_response_says_what_is_wrong(change: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        AgentResponse.from_json({**succeeded("x", {}).to_json(), **change})


def test_a_response_without_status_names_the_key() -> None:
    with pytest.raises(UsageError, match="'status' is missing"):
        AgentResponse.from_json({"responding_agent": "x", "output_artifact": {}, "metadata": {}})


@given(artifact=plain, context=plain, word=st.text(max_size=10))
def test_a_request_whose_artifact_is_written_already_has_the_digest_of_its_json(
    artifact: dict[str, object], context: dict[str, object], word: str
) -> None:
    bare = AgentRequest("planning-orch", artifact, context, word)
    known = {name: Written(canonical_json(value)) for name, value in list(context.items())[:2]}
    written = AgentRequest("planning-orch", artifact, context, word, Written(canonical_json(artifact)), known)

    assert bare.digest == written.digest == digest_of(bare.to_json())


@given(plain, plain)
def test_an_object_with_members_that_are_written_already_is_written_the_same(
    one: dict[str, object], other: dict[str, object]
) -> None:
    written = {name: Written(canonical_json(value)) for name, value in one.items()}

    assert canonical_object({**other, **written}) == canonical_json({**other, **one})


@given(st.integers(0, 250_000))
def test_the_digest_of_a_text_is_its_sha_256_however_long_it_is(length: int) -> None:
    assert digest_of_text("x" * length) == hashlib.sha256(b"x" * length).hexdigest()
