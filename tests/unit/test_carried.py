"""Rows as events carry them: packed and read back they are what was written, and rows of older journals are read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.contract import canonical_json
from core.store.carried import PLACES, carried, packed
from core.store.schema import Delegation

FACTS = {"seq": 9, "at": 1_000, "work_item": 3}
words, small = st.text(max_size=8), st.integers(0, 20)
delegations = st.fixed_dictionaries(
    {
        **dict.fromkeys(("phase", "agent", "subject", "status", "runtime", "request_digest"), words),
        **dict.fromkeys(("round", "milliseconds"), small),
        "work_item": st.sampled_from((3, 4)),
        "at": st.sampled_from((1_000, 1_001)),
        "event": st.sampled_from((9, 10)),
    }
)
others = st.dictionaries(words, st.none() | small | words, max_size=3)
rows = st.tuples(st.just("delegations"), small, delegations) | st.tuples(
    st.sampled_from(("delegations", "settings", "artifacts")), small | words, others
)


@given(st.lists(rows, max_size=4))
def test_what_was_packed_is_carried(given_rows: list[Any]) -> None:
    payload = json.loads(canonical_json({"rows": packed(given_rows, **FACTS)}))

    assert list(carried(payload, **FACTS)) == [(table, key, values) for table, key, values in given_rows]


def test_a_recorded_delegation_is_carried_without_names_and_without_what_the_event_says() -> None:
    row = dict.fromkeys(PLACES["delegations"], "x") | {"work_item": 3, "at": 1_000, "event": 9}

    assert packed([("delegations", 7, row)], **FACTS) == [["delegations", 7, ["x"] * 8]]


def test_every_column_of_a_packed_table_has_a_place_or_is_the_events_own() -> None:
    columns = {field.name for field in Delegation._meta.sorted_fields} - {"id"}

    assert columns == {*PLACES["delegations"], "work_item", "at", "event"}


def test_rows_of_a_journal_that_names_every_column_are_carried_as_they_are() -> None:
    payload = {"rows": [["delegations", 7, {"phase": "D1", "work_item": 1}]]}

    assert list(carried(payload, **FACTS)) == [("delegations", 7, {"phase": "D1", "work_item": 1})]
