"""The shape of a decisions document: what it may say, and every problem told with its index."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Json, UsageError
from core.governance import decision_documents, strict_json
from core.governance.decision_documents import (
    AnswerEntry,
    DecisionsRejected,
    GrantEntry,
    NotWhole,
    ReversalEntry,
    ScopeEntry,
    parse,
)

DIGEST = "ab" * 32
ANSWER: Json = {"escalation": 12, "option": "approve", "reason": "as planned", "answer": {}}
GRANT: Json = {"authority": {"agent": "technical", "kind": "db_schema", "mode": "escalate"}, "reason": "too early"}


def document(*entries: Any, **more: Any) -> str:
    return json.dumps({"decided_by": "ada", "decisions": list(entries), **more})


def problems(text: str) -> list[str]:
    with pytest.raises(DecisionsRejected) as refused:
        parse(text)
    return [str(problem) for problem in refused.value.problems]


def test_each_kind_of_entry_is_read() -> None:
    found = parse(
        document(
            {**ANSWER, "digest": DIGEST},
            {"scope_proposal": 3, "option": "clarify", "reason": "which tables?"},
            GRANT,
            {"reversal": 87, "reason": "it broke the build", "choice": "sqlite"},
        )
    )
    assert found.decided_by == "ada"
    assert found.entries == (
        AnswerEntry(12, "approve", "as planned", {}, DIGEST),
        ScopeEntry(3, "clarify", "which tables?"),
        GrantEntry("technical", "db_schema", "escalate", "too early"),
        ReversalEntry(87, "it broke the build", "sqlite"),
    )


def test_the_same_text_has_the_same_digest_and_another_text_another() -> None:
    assert parse(document(ANSWER)).digest == parse(document(ANSWER)).digest
    assert parse(document(ANSWER)).digest != parse(document(ANSWER) + " ").digest


def test_a_reason_is_cleaned_of_what_a_terminal_obeys() -> None:
    found = parse(document({**ANSWER, "reason": " \u202efine\x1b]52;c;eA==\x07\nby me "}))
    assert found.entries == (AnswerEntry(12, "approve", "fine\nby me", {}),)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (7, "is 7; a decision is an object"),
        ({}, "names nothing to decide; it needs one of escalation, scope_proposal, authority, reversal"),
        ({"escalatoin": 12, "option": "x"}, "names nothing to decide; .*; did you mean 'escalation'?"),
        ({"escalation": 1, "reversal": 2}, "speaks of escalation and of reversal; an entry decides one thing"),
        ({"escalation": 12}, "'option' is missing; it must be a key"),
        ({**ANSWER, "escalation": "12"}, "'escalation' is '12'; it must be a number from 1"),
        ({**ANSWER, "escalation": True}, "'escalation' is true; it must be a number from 1"),
        ({**ANSWER, "escalation": 0}, "'escalation' is 0; it must be a number from 1"),
        ({**ANSWER, "escalation": 2**63}, "it must be a number from 1"),
        ({**ANSWER, "escalation": 12.0}, "'escalation' is 12.0; it must be a number from 1"),
        ({**ANSWER, "option": ["approve"]}, "'option' is a list; it must be a key"),
        ({**ANSWER, "option": "ap\x1bprove"}, "it must be a key"),
        ({**ANSWER, "answer": "yes"}, "'answer' is 'yes'; it must be an object"),
        ({**ANSWER, "reason": None}, "'reason' is null; it must be a text"),
        ({**ANSWER, "reason": "x" * 10_001}, "'reason' is a text of 10001 characters; it must be a text of at most"),
        ({**ANSWER, "digest": "abc"}, "'digest' is 'abc'; it must be the digest that was shown"),
        ({**ANSWER, "resaon": "x"}, "'resaon' is not a key known here; did you mean 'reason'?"),
        ({**ANSWER, "zzz": 1}, "'zzz' is not a key known here; an entry with escalation has escalation, option"),
        ({"scope_proposal": 3, "option": "accept"}, "'option' is 'accept'; it must be one of approve, reject, clarify"),
        ({"scope_proposal": 3, "option": "reject", "answer": {}}, "'answer' is not a key known here"),
        ({**GRANT, "authority": "technical"}, "'authority' is 'technical'; it must be an object with agent, kind"),
        ({**GRANT, "authority": {"agent": "ux"}}, "authority: 'kind' is missing"),
        ({**GRANT, "authority": {**GRANT["authority"], "mode": "free"}}, "authority: 'mode' is 'free'; it must be one"),
        ({**GRANT, "authority": {**GRANT["authority"], "by": "x"}}, "authority: 'by' is not a key known here"),
        ({"authority": GRANT["authority"]}, "'reason' is missing; it must be a text that says why"),
        ({**GRANT, "reason": " \u200b "}, "it must be a text that says why"),
        ({"reversal": 1}, "'reason' is missing"),
    ],
)
def test_a_wrong_entry_is_told_with_its_index(entry: Any, told: str) -> None:
    found = problems(document(ANSWER, entry))
    assert len(found) >= 1
    assert all(problem.startswith("decisions[1]: ") for problem in found)
    before, _, after = told.partition(".*")
    assert any(before in problem and after in problem for problem in found)


def test_a_misspelt_key_is_not_reported_as_missing_too() -> None:
    assert len(problems(document({"escalation": 1, "optoin": "approve"}))) == 1


def test_every_entry_s_problems_are_told_in_the_order_of_the_document() -> None:
    found = problems(document({"escalation": 0, "option": 1}, ANSWER, {}, {**GRANT, "reason": 1}, why="x"))
    assert [problem.partition(":")[0] for problem in found] == [
        *("'why' is not a key known here; the document has decided_by, decisions",),
        *("decisions[0]", "decisions[0]", "decisions[2]", "decisions[3]"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "the document must be an object"),
        ('{"decisions": [{}]}', "'decided_by' is missing; it must be the name of whoever decided"),
        ('{"decided_by": " ", "decisions": [{}]}', "'decided_by' is ' '"),
        ('{"decided_by": "ada", "decisions": []}', "'decisions' is an empty list"),
        ('{"decided_by": "ada", "decisions": {}}', "'decisions' is an empty object; it must be a list"),
        ('{"decided_by": "ada", "decided_by": "bob"}', "has the key 'decided_by' twice"),
        ('{"a": {"b": 1, "b": 2}}', "has the key 'b' twice"),
        ('{"a": NaN}', "has NaN, which is not a JSON number"),
        ('{"a": -Infinity}', "has -Infinity, which is not a JSON number"),
        ('{"a": 1e999}', "has 1e999, which is not a JSON number"),
        (f'{{"a": {"9" * 5000}}}', "is not a JSON number"),
        ("[" * 33 + "]" * 33, "nested deeper than 32 levels"),
        ("[" * 200_000, "nested deeper than 32 levels"),
    ],
)
def test_a_document_that_is_none_is_refused_as_a_whole(text: str, told: str) -> None:
    assert told in problems(text)[0]


@pytest.mark.parametrize("text", ["", "{", '{"decided_by": "ada", "decis', "{} {}", "nul", "\ufeff{}"])
def test_what_is_no_json_may_not_be_whole_yet(text: str) -> None:
    with pytest.raises(NotWhole, match="the decisions are not JSON: line 1, column"):
        parse(text)


def test_a_document_has_a_limit_of_entries_of_values_and_of_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "2001 decisions; 2000 are the most" in problems(document(*[ANSWER] * 2_001))[0]
    monkeypatch.setattr(strict_json, "MOST_PARTS", 100)
    assert "more than 100 values" in problems(document(*[ANSWER] * 30))[0]
    monkeypatch.setattr(decision_documents, "MOST_BYTES", 2**20)
    assert "more than 1,048,576 characters" in problems(document({**ANSWER, "reason": "x" * 2**20}))[0]


def test_the_message_shows_the_first_problems_and_counts_the_rest() -> None:
    with pytest.raises(DecisionsRejected) as refused:
        parse(document(*[{}] * 50))
    lines = str(refused.value).splitlines()
    assert len(lines) == decision_documents.SHOWN_PROBLEMS + 1
    assert lines[-1] == "… and 30 more"


def test_a_hostile_document_is_quoted_safely() -> None:
    with pytest.raises(DecisionsRejected) as refused:
        parse(document({**ANSWER, "\x1b[2J\u202e" * 100: "\x1b]0;x\x07"}))
    assert "\x1b" not in str(refused.value)
    assert "\u202e" not in str(refused.value)


KEYS = (
    *("decided_by", "decisions", "escalation", "option", "reason", "answer", "digest", "scope_proposal"),
    *("authority", "agent", "kind", "mode", "reversal", "choice", "else", "\ud800"),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("approve")
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@given(values)
def test_any_json_is_read_or_refused_in_a_sentence(value: Any) -> None:
    try:
        found = parse(json.dumps(value))
    except UsageError as refused:
        told = str(refused).encode()
    else:
        told = found.decided_by.encode()
    assert told


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


numbers = st.integers(1, 2**63 - 1)
words = st.from_regex(r"[a-z][a-z0-9_-]{0,40}", fullmatch=True)
reasons = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=50)
entries = st.one_of(
    st.builds(AnswerEntry, numbers, words, reasons, st.dictionaries(words, reasons), st.just(DIGEST)),
    st.builds(ScopeEntry, numbers, st.sampled_from(("approve", "reject", "clarify")), reasons, st.just(DIGEST)),
    st.builds(GrantEntry, words, words, st.sampled_from(("autonomous", "escalate")), reasons),
    st.builds(ReversalEntry, numbers, reasons, words),
)


def as_json(entry: decision_documents.Entry) -> Json:
    match entry:
        case AnswerEntry():
            return {"escalation": entry.escalation, **_rest(entry, "option", "reason", "answer", "digest")}
        case ScopeEntry():
            return {"scope_proposal": entry.scope_proposal, **_rest(entry, "option", "reason", "digest")}
        case GrantEntry():
            return {"authority": _rest(entry, "agent", "kind", "mode"), "reason": entry.reason}
        case ReversalEntry():
            return {"reversal": entry.reversal, **_rest(entry, "reason", "choice")}


def _rest(entry: decision_documents.Entry, *names: str) -> Json:
    return {name: getattr(entry, name) for name in names}


@given(st.lists(entries, min_size=1, max_size=20), reasons)
def test_what_is_written_is_what_is_read(written: list[decision_documents.Entry], by: str) -> None:
    found = parse(json.dumps({"decided_by": by, "decisions": [as_json(entry) for entry in written]}))
    assert found.entries == tuple(written)
    assert found.decided_by == by
