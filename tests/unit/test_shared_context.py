"""The shared context: out always the same, in only what people maintain, and nothing hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contract import Json, UsageError, canonical_json
from core.governance.shared_context import BroughtIn, ContextRejected, bring_in, export, keep_facts, parse
from core.governance.shared_context_document import MOST_CHARACTERS, MOST_KEPT, maintained
from core.sanitise import one_line, sanitise
from core.store import reads
from core.store.schema import Conflict, Counter, Decision, Project, ScopeProposal, Setting
from tests.fresh import fresh_store
from tests.unit.briefing_place import MORNING, Place

MILESTONE: Json = {"tag": "day_3", "title": "Day 3"}
KEYS = [
    "strategic_state",
    "technical_progress",
    "day_3_requirements",
    "agentic_ai_teams",
    "decisions_log",
    "conflicts_log",
    "agent_performance_metrics",
    "scope_optimization_data",
]
FACTS: Json = {
    "strategic_state": {"mission": "Help", "goals": [1, 2.5, None, True]},
    "technical_progress": {},
    "day_3_requirements": {"beta_signups_target": 15},
    "agentic_ai_teams": {"data_ai": "Learns.\nPredicts."},
}

SAID = [key for key, value in FACTS.items() if value]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "state")
    yield made
    made.store.close()


def out(place: Place, milestone: Json = MILESTONE) -> Json:
    return place.store.read_now(lambda r: export(r, milestone=milestone))


def bring(place: Place, context: Json, by: str = "ada") -> BroughtIn:
    found: BroughtIn = place.write(lambda tx: bring_in(tx, context, by=by))
    return found


def settings_of(place: Place) -> dict[str, str]:
    return dict(place.store.read_now(lambda r: r.rows(Setting.select(Setting.key, Setting.value))))


def decision(place: Place, question: str = "Which?", **values: Any) -> int:
    usual: Json = {"agent": "ux", "kind": "layout", "impact": 3, "outcome": "decided", "rule": "authority: …"}
    number: int = place.insert(Decision, question=question, at=MORNING, **{**usual, **values})
    return number


# Out


def test_a_new_workspace_has_every_key_and_invents_nothing(place: Place) -> None:
    found = out(place)
    assert list(found)[: len(KEYS)] == KEYS
    assert all(found[key] == {} for key in KEYS[:4])
    assert found["decisions_log"] == found["conflicts_log"] == []


def test_the_requirements_have_the_milestone_s_name(place: Place) -> None:
    assert "beta-2_requirements" in out(place, {"tag": "beta-2", "title": "Beta 2"})


def test_equal_states_give_equal_texts_at_any_time(place: Place) -> None:
    bring(place, FACTS)
    decision(place)
    first = json.dumps(out(place))
    place.now += 86_400_000
    assert json.dumps(out(place)) == first


def test_decisions_are_listed_with_who_decided_and_by_what(place: Place) -> None:
    decision(place, tags='["day_3"]', choice="a", provenance="human", decided_by="grace", reason="cheaper")
    [entry] = out(place)["decisions_log"]
    assert (entry["agent"], entry["kind"], entry["tags"]) == ("ux", "layout", ["day_3"])
    assert (entry["choice"], entry["provenance"], entry["decided_by"], entry["reason"]) == (
        "a",
        "human",
        "grace",
        "cheaper",
    )
    assert entry["at"] == "2026-03-02T09:30:00.000Z"
    assert entry["reverted_at"] is None


def test_the_newest_decisions_are_listed_and_all_are_counted(place: Place) -> None:
    def work(tx: Any) -> None:
        for n in range(230):
            tx.insert(Decision, agent="ux", kind="k", question=str(n), impact=1, outcome="decided", rule="", at=n)
        tx.event("seeded")

    place.write(work)
    found = out(place)
    assert [entry["question"] for entry in found["decisions_log"]] == [str(n) for n in range(30, 230)]
    assert found["workspace"]["lists"]["decisions_log"] == {"listed": 200, "of": 230}


def test_a_conflict_is_listed_with_both_agents_and_their_positions(place: Place) -> None:
    place.insert(
        Conflict,
        first="technical",
        second="ux",
        topic="colours",
        positions='{"ux":"red"}',
        impact=3,
        outcome="resolved",
        winner="ux",
        rule="r",
        at=MORNING,
    )
    [entry] = out(place)["conflicts_log"]
    assert (entry["between"], entry["positions"], entry["winner"]) == (["technical", "ux"], {"ux": "red"}, "ux")


def test_the_domain_agents_records_and_everybody_s_work_are_metrics(place: Place) -> None:
    decision(place)
    place.write(lambda tx: tx.insert(Counter, agent="ac-writer", day=1, runs=3, failures=1, cost=0.5, last_at=MORNING))
    found = out(place)["agent_performance_metrics"]
    assert found["ux"]["decided"] == 1
    assert (found["ac-writer"]["delegations"], found["ac-writer"]["failures"], found["ac-writer"]["cost"]) == (
        3,
        1,
        0.5,
    )


def test_proposals_are_listed_with_what_became_of_them(place: Place) -> None:
    place.insert(
        ScopeProposal,
        agent="ux",
        kind="layout",
        change="expansion",
        n=24,
        accepted=23,
        risk="low",
        recommendation="approve",
        payload_digest="",
        at=MORNING,
        decided_at=MORNING,
        decision="reject",
        decided_by="ada",
        reason="too early",
    )
    found = out(place)["scope_optimization_data"]
    assert [(p["n"], p["decision"], p["reason"]) for p in found["proposals"]] == [(24, "reject", "too early")]
    assert set(found["authority"]) == {"technical", "strategy", "ux", "gtm"}


def test_it_says_where_it_comes_from(place: Place) -> None:
    place.insert(Project, name="shop", path="/x", target="main", tech="{}", settings="{}", created_at=1)
    place.work_item("One", "day_3")
    found = out(place)["workspace"]
    assert found["projects"] == ["shop"]
    assert found["milestone"] == MILESTONE
    assert (found["work_items"]["all"], found["work_items"]["released"]) == (1, 0)


def test_it_holds_no_secrets_no_paths_and_no_contexts(place: Place) -> None:
    secret = "hunter2hunter2"
    place.insert(
        Project, name="shop", path="/home/ada/shop", target="main", tech="{}", settings='{"token":"' + secret + '"}',
        created_at=1,
    )  # fmt: skip
    decision(place, f"Use password={secret}?", context=f'{{"key":"{secret}"}}', reason=f"see https://u:{secret}@host/x")
    text = json.dumps(out(place))
    assert secret not in text
    assert "/home/ada" not in text


def test_hostile_text_of_the_record_is_shown_safely_and_bounded(place: Place) -> None:
    decision(place, "a\x1b]52;c;eA==\x07\u202eb\nc" + "x" * 1_000_000)
    [entry] = out(place)["decisions_log"]
    assert entry["question"].startswith("ab c")
    assert len(entry["question"]) <= 300


# In


def test_what_people_maintain_is_kept_with_one_event_that_says_who(place: Place) -> None:
    found = bring(place, FACTS)
    assert (found.kept, found.unchanged) == (tuple(SAID), ("technical_progress",))
    exported = out(place)
    assert {key: exported[key] for key in FACTS} == FACTS
    event = place.store.read_now(lambda r: reads.events(r, last=2))[-1]
    assert (event.kind, event.payload["by"], event.payload["keys"]) == ("context.imported", "ada", sorted(SAID))


def test_the_same_again_changes_nothing_and_writes_nothing(place: Place) -> None:
    bring(place, FACTS)
    head = place.store.read_now(lambda r: reads.events(r, last=1))
    found = bring(place, FACTS)
    assert (found.kept, found.unchanged) == ((), tuple(FACTS))
    assert place.store.read_now(lambda r: reads.events(r, last=1)) == head


def test_a_key_that_is_not_there_stays_as_it_is(place: Place) -> None:
    bring(place, FACTS)
    bring(place, {"strategic_state": {"mission": "Another"}})
    assert out(place)["strategic_state"] == {"mission": "Another"}
    assert out(place)["agentic_ai_teams"] == FACTS["agentic_ai_teams"]


def test_a_number_that_became_a_truth_is_a_change(place: Place) -> None:
    bring(place, {"strategic_state": {"beta": 1}})
    assert bring(place, {"strategic_state": {"beta": True}}).kept == ("strategic_state",)


def test_unknown_keys_are_kept(place: Place) -> None:
    bring(place, {"house_rules": ["no meetings"], "old_milestone_requirements": {"a": 1}})
    found = out(place)
    assert (found["house_rules"], found["old_milestone_requirements"]) == (["no meetings"], {"a": 1})


def test_logs_records_and_authority_of_elsewhere_are_left_out_and_counted(tmp_path: Path, place: Place) -> None:
    other = Place(tmp_path / "other")
    for _ in range(3):
        decision(other)
    context = out(other)
    other.store.close()
    found = bring(place, context)
    assert found.left_out["decisions_log"] == 3
    assert out(place)["decisions_log"] == []
    assert settings_of(place) == {"shared_context.day_3_requirements": "{}"}


def test_an_agent_brings_nothing_in(place: Place) -> None:
    from tests.unit.briefing_place import agents

    agents(place)
    with pytest.raises(UsageError, match="is an agent"):
        bring(place, FACTS, by="technical")
    assert settings_of(place) == {}


VISIBLE = st.text(min_size=1, max_size=8).map(one_line).filter(bool)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(VISIBLE, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(VISIBLE, JSON, max_size=4)
DOCUMENTS = st.fixed_dictionaries(
    dict.fromkeys(KEYS[:4], OBJECTS), optional={"unknown": JSON, "other_requirements": OBJECTS}
)


def as_kept(value: Any) -> Any:
    """The value as it is kept: its texts without what nobody sees."""
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, list):
        return [as_kept(item) for item in value]
    return {key: as_kept(item) for key, item in value.items()} if isinstance(value, dict) else value


@settings(max_examples=25, deadline=None)
@given(DOCUMENTS)
def test_what_comes_in_goes_out_and_comes_into_an_empty_workspace_again(document: Json) -> None:
    with TemporaryDirectory() as folder:
        first, second = (Place(Path(folder) / name) for name in ("first", "second"))
        try:
            bring(first, document)
            exported = out(first)
            assert canonical_json(maintained(exported)) == canonical_json(as_kept(document))
            bring(second, parse(json.dumps(exported)))
            assert canonical_json(maintained(out(second))) == canonical_json(maintained(exported))
        finally:
            first.store.close()
            second.store.close()


# What is refused, with everything as it was


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"strategic_state": []}, "'strategic_state' is a list; it must be an object"),
        ({"technical_progress": "fine"}, "'technical_progress' is a text; it must be an object"),
        ({"agentic_ai_teams": None}, "'agentic_ai_teams' is null; it must be an object"),
        ({"day_3_requirements": 15}, "'day_3_requirements' is a number; it must be an object"),
        ({"other_requirements": True}, "'other_requirements' is true or false; it must be an object"),
        ({"decisions_log": {}}, "'decisions_log' is an object; it must be a list"),
        ({"agent_performance_metrics": []}, "'agent_performance_metrics' is a list; it must be an object"),
        ({"strategic_state": {"a": [{"b\u200b": 1}]}}, "'strategic_state.a.b': the key holds"),
        ({"strategic_state": {"": 1}}, "a key has 1 to 100 characters"),
        ({"x" * 101: 1}, "a key has 1 to 100 characters"),
        ({"strategic_state": {"a": "x" * MOST_KEPT}}, "What people maintain takes"),
        ({f"key{n}": n for n in range(101)}, "more than 100 keys"),
        ({f"key{n}": n for n in range(201)}, "has 205 keys; 200 are the most"),
    ],
)
def test_a_wrong_document_is_refused_with_the_key_and_nothing_is_kept(place: Place, document: Json, told: str) -> None:
    with pytest.raises(ContextRejected) as refused:
        bring(place, {**FACTS, **document})
    assert told in str(refused.value)
    assert settings_of(place) == {}


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ContextRejected) as refused:
        parse('{"strategic_state": [], "decisions_log": {}, "agentic_ai_teams": 1}')
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not JSON: line 1"),
        ("{", "is not JSON"),
        ("[]", "is a list; it must be an object"),
        ('{"strategic_state": {"a": NaN}}', "NaN"),
        ('{"strategic_state": {"a": -Infinity}}', "-Infinity"),
        ('{"strategic_state": {"a": 1e999}}', "1e999"),
        ('{"strategic_state": {"a": ' + "9" * 5_000 + "}}", "is not a JSON number"),
        ('{"strategic_state": {}, "strategic_state": {"a": 1}}', "the key 'strategic_state' twice"),
        ('{"strategic_state": {"a": 1, "a": 2}}', "the key 'a' twice"),
        ('{"a": ' + "[" * 100_000, "nested deeper"),
        ('{"a": ' + "[" * 30 + "]" * 30 + "}", "nested deeper"),
        ('{"a": "' + "x" * (MOST_CHARACTERS) + '"}', "more than 8,388,608 characters"),
    ],
    ids=range(12),
)
def test_a_hostile_text_is_refused_in_a_sentence(text: str, told: str) -> None:
    with pytest.raises(ContextRejected) as refused:
        parse(text)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 500


def test_control_characters_do_not_come_in(place: Place) -> None:
    bring(place, parse('{"strategic_state": {"mission": "a\\u001b]52;c;eA==\\u0007\\u202eb\\ud800\\nc"}}'))
    assert out(place)["strategic_state"] == {"mission": "ab\nc"}


def test_many_small_imports_do_not_pile_up(place: Place) -> None:
    for n in range(100):
        place.write(lambda tx, n=n: keep_facts(tx, {f"key{n}": n}, by="ada"))
    with pytest.raises(ContextRejected, match="more than 100 keys"):
        place.write(lambda tx: keep_facts(tx, {"one-more": 1}, by="ada"))
    assert len(settings_of(place)) == 100


@given(st.text(min_size=1).filter(lambda key: one_line(key, 100) != key))
def test_a_key_that_nobody_can_read_is_refused_wherever_it_stands(key: str) -> None:
    for document in ({key: 1}, {"strategic_state": {"a": [[{key: 1}]]}}):
        with pytest.raises(ContextRejected, match=r"nobody sees|1 to 100 characters"):
            parse(json.dumps(document))


def parsed(text: str) -> Json | str:
    """The document, or why it is none."""
    try:
        return parse(text)
    except ContextRejected as refused:
        return str(refused)


@settings(max_examples=200)
@given(st.text() | st.from_regex(r'\{"(strategic_state|decisions_log)": [\[\]{}",:0-9a]*\}?', fullmatch=True))
def test_any_text_is_a_document_or_is_refused_in_a_line(text: str) -> None:
    found = parsed(text)
    if isinstance(found, str):
        assert found.isprintable()
    else:
        assert isinstance(found.get("decisions_log", []), list)
        assert isinstance(found.get("strategic_state", {}), dict)


def test_a_store_without_facts_is_read_as_such(tmp_path: Path) -> None:
    with fresh_store(tmp_path / "state", synchronous="off") as store:
        assert store.read_now(lambda r: export(r, milestone=MILESTONE))["strategic_state"] == {}
