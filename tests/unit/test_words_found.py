"""What is taken from the words of a request: conditions, risks, tasks, order, the six W, decisions, answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents.words import subjects
from core.agents.words.choices import choices
from core.agents.words.conditions import conditions, is_demand
from core.agents.words.dangers import risks, severity_of, split_mitigation
from core.agents.words.document import PARAGRAPH, SCENARIO, parse
from core.agents.words.mentions import mentions
from core.agents.words.narrative import circumstances, problem, value
from core.agents.words.numbering import answered, distinct, split_label
from core.agents.words.order import Named, comes_afterwards, order_of, stated_dependencies
from core.agents.words.six_w import SIX_W, Reading, confidence, six_w
from core.agents.words.steps import hours_in, hours_of, listed_tasks
from core.agents.words.text import sentences
from core.agents.words.titles import listed_title, task_title
from tests.unit.request_samples import BUG, FEATURE, GHERKIN, MAIL, PLANNED, TERSE, VAGUE


def texts(body: str) -> list[str]:
    return [said.text for said in conditions(parse(body))]


def split(text: str) -> list[str]:
    return [sentence for _, sentence in sentences(text)]


def test_items_under_the_heading_are_the_conditions_and_nothing_else_is() -> None:
    found = conditions(parse(FEATURE))
    assert [said.line for said in found] == [9, 10, 12, 13, 14]
    assert found[1].text.endswith('"Total" in the first column, whatever language the header uses')


def test_a_scenario_is_one_condition_with_its_name_and_all_its_steps() -> None:
    first, _, outline = texts(GHERKIN)
    assert first.startswith("First login: Given an accountant")
    assert first.endswith("Then she is logged in, And a profile is created for her")
    assert outline.startswith("Old passwords: Given an account created in <year>")
    assert "2019" not in outline


def test_scenarios_stand_in_the_open_too_and_need_a_then() -> None:
    body = "Given a user\nWhen they log in\nThen they see the list\n\nGiven that we are late, hurry."
    kinds = [block.kind for block in parse(body).blocks]
    assert kinds == [SCENARIO, PARAGRAPH]


def test_sentences_of_prose_that_demand_something_are_conditions() -> None:
    assert texts(MAIL) == [
        "The shop must send a reminder by e-mail 14 days after the due date.",
        "It should not send more than one reminder per invoice.",
        "An accountant has to be able to switch reminders off for a single customer.",
        "The list of open invoices in the admin page should show when the last reminder was sent.",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Today users have to export by hand.",
        "Should we add it?",
        "This will save us two hours.",
        "We should talk about it next week.",
        "I can do it.",
        "The job must have been broken before.",
        "It might break and must be watched.",
        "It is slow.",
    ],
)
def test_circumstances_hopes_questions_and_risks_are_no_demands(sentence: str) -> None:
    assert not is_demand(sentence)


def test_a_list_that_must_introduces_is_stated_and_one_of_attempts_is_not() -> None:
    body = "The export must:\n- have a header\n- end in a newline\n- be sorted\n\nI tried:\n- turning it off and on\n"
    assert texts(body) == ["have a header", "end in a newline", "be sorted"]


def test_items_under_an_introducing_item_come_one_by_one() -> None:
    body = "## AC\n- Export:\n  - has a header\n  - is sorted\n- Import works\n  - also for big files"
    assert texts(body) == ["Export: has a header", "Export: is sorted", "Import works; also for big files"]


def test_placeholders_and_what_is_out_of_scope_are_no_conditions() -> None:
    assert texts("## Acceptance criteria\n- TBD\n- ...\n\n## Out of scope\n- It must fly\n") == []


def test_risks_come_with_severity_and_the_mitigation_of_the_same_or_the_nested_item() -> None:
    first, second = risks(parse(FEATURE))
    assert (first.id, first.severity, first.mitigation) == ("R1", "high", "parse them with `amounts.py`.")
    assert first.text == "Amounts with a decimal comma may be summed wrongly"
    assert (second.severity, second.mitigation) == ("medium", "sum while reading, never keep all rows in memory")


def test_risks_in_prose_are_found_with_the_next_sentence_as_their_mitigation() -> None:
    first, second = risks(parse(MAIL))
    assert first.text.startswith("reminders might be sent for invoices")
    assert first.mitigation == "wait for the bank file before sending."
    assert (second.text, second.severity, second.mitigation) == ("mails are blocked as spam", "low", "")


@pytest.mark.parametrize(
    ("words", "risk", "plan"),
    [
        ("It may fail → retry", "It may fail", "retry"),
        ("It may fail (mitigation: retry (twice))", "It may fail", "retry (twice)"),
        ("It may fail, mitigated by a retry", "It may fail", "a retry"),
        ("It may fail; by retrying we get over it", "It may fail", "retrying we get over it"),
        ("It may fail by timing out", "It may fail by timing out", ""),
    ],
)
def test_a_mitigation_is_told_from_its_risk_by_its_mark(words: str, risk: str, plan: str) -> None:
    assert split_mitigation(words) == (risk, plan)


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("[Low] all data is lost", "low"),
        ("severity: critical", "high"),
        ("customers lose data", "high"),
        ("a typo, cosmetic", "low"),
        ("the latency is high", "medium"),
    ],
)
def test_severity_is_stated_or_weighed_by_words(words: str, severity: str) -> None:
    assert severity_of(words) == severity


def test_a_table_of_risks_is_read_by_the_words_of_its_head() -> None:
    body = "## Risks\n| # | Risk | Impact | Mitigation |\n|---|---|---|---|\n| 1 | It is slow | low | cache it |\n"
    (risk,) = risks(parse(body))
    assert (risk.text, risk.severity, risk.mitigation) == ("It is slow", "low", "cache it")


def test_mitigations_under_a_heading_of_their_own_find_their_risks() -> None:
    body = "## Risks\n- R1: a leak\n- R2: a crash\n\n## Mitigations\n- R2: restart\n- R1: close the file\n"
    assert [risk.mitigation for risk in risks(parse(body))] == ["close the file", "restart"]


def test_listed_tasks_have_hours_ids_and_numbers() -> None:
    first, second, third, fourth = listed_tasks(parse(PLANNED))
    assert (first.text, first.hours, first.number) == ("Read variables with the prefix (AC1)", 2.0, 1)
    assert second.hours == 1.5
    assert third.hours is None
    assert fourth.text == "Update the docs"


def test_the_steps_of_a_bug_are_no_tasks() -> None:
    assert listed_tasks(parse("## Steps\n1. open it\n2. see it fail"), "bug") == []
    assert len(listed_tasks(parse("## Steps\n1. open it\n2. see it fail"), "feature")) == 2


@pytest.mark.parametrize(
    ("text", "hours", "rest"),
    [
        ("Parse it (3 hours)", 3.0, "Parse it"),
        ("Parse it - 30 min", 0.5, "Parse it"),
        ("2 days: rewrite", 16.0, "rewrite"),
        ("Keep data for 24 hours in the cache", None, "Keep data for 24 hours in the cache"),
    ],
)
def test_hours_are_read_where_they_are_an_estimate(text: str, hours: float | None, rest: str) -> None:
    assert hours_in(text) == (hours, rest)


@pytest.mark.parametrize(
    ("value", "hours"),
    [(2, 2.0), ("2", 2.0), ("1,5 h", 1.5), ("45 min", 0.75), ("soon", None), (True, None), (float("nan"), None)],
)
def test_a_humans_figure_is_hours_or_nothing(value: object, hours: float | None) -> None:
    assert hours_of(value) == hours


@pytest.mark.parametrize(
    ("criterion", "title"),
    [
        ("The shop must send a reminder.", "Make the shop send a reminder"),
        ("Users can turn it off", "Let users turn it off"),
        ("An admin has to be able to undo it", "Let an admin undo it"),
        ("The file must not be overwritten", "The file must not be overwritten"),
        ("Passwords are hashed", "Passwords are hashed"),
        ("Login: Given a user, When he logs in, Then it works", "Login"),
        ("sub(5,3) returns 2", "sub(5,3) returns 2"),
        ("isEmpty is true", "isEmpty is true"),
    ],
)
def test_a_title_turns_the_words_of_its_criterion_and_adds_none_of_its_own(criterion: str, title: str) -> None:
    assert task_title(criterion) == title


def test_a_title_that_is_cut_after_a_sentence_ends_in_nothing_but_the_ellipsis() -> None:
    words = "Wide characters take two columns; until they count as two, tables with them look ragged."
    assert task_title(f"{words} {'so' * 50}") == f"{words.removesuffix('.')}…"


def test_a_listed_title_leaves_out_the_ids_at_its_end() -> None:
    assert listed_title("Refuse bad paths (AC2, AC3), after task 1") == "Refuse bad paths"


def test_stated_dependencies_are_kept_with_their_words_even_to_unknown_tasks() -> None:
    tasks = [Named("T1", "Add the parser"), Named("T2", "Add the export after T1 and T9"), Named("T3", "Ship it")]
    assert stated_dependencies(tasks) == {"T2": {"T1": "after T1 and T9", "T9": "after T1 and T9"}}


def test_words_name_a_task_when_its_title_holds_them_all() -> None:
    tasks = [
        Named("T1", "Add the parser"),
        Named("T2", "Export, once the parser is done"),
        Named("T3", "Requires love"),
    ]
    assert list(stated_dependencies(tasks)["T2"]) == ["T1"]


def test_an_order_respects_what_waits_and_survives_a_cycle() -> None:
    assert order_of(["T1", "T2", "T3"], {"T1": ["T3"], "T3": ["T9"]}) == ["T3", "T1", "T2"]
    assert sorted(order_of(["T1", "T2", "T3"], {"T1": ["T2"], "T2": ["T1"], "T3": ["T3"]})) == ["T1", "T2", "T3"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=200))
def test_every_task_is_in_the_order_once_and_after_what_it_waits_for(pairs: list[tuple[int, int]]) -> None:
    ids = [f"T{n}" for n in range(25)]
    waits: dict[str, list[str]] = {}
    for a, b in pairs:
        waits.setdefault(f"T{max(a, b)}", []).append(f"T{min(a, b)}")
    order = order_of(ids[::-1], waits)
    assert sorted(order) == sorted(ids)
    early = [(a, b) for a, others in waits.items() for b in others if a != b and {a, b} <= set(ids)]
    assert all(order.index(b) < order.index(a) for a, b in early)


@pytest.mark.parametrize("title", ["Update the docs", "Write tests", "The usage page documents both options"])
def test_tasks_that_test_or_describe_come_afterwards(title: str) -> None:
    assert comes_afterwards(title)
    assert not comes_afterwards("Add a test command")


def reading(title: str, body: str) -> Reading:
    document = parse(body)
    return Reading.of(title, document, "general", conditions(document))


def test_a_full_request_is_sure_of_itself_and_a_vague_one_is_not() -> None:
    for body in (FEATURE, BUG, GHERKIN, MAIL, TERSE):
        assert confidence(six_w(reading("Add an export", body))) >= 0.70, body
    assert confidence(six_w(reading("make it better", VAGUE))) < 0.5


def test_every_score_quotes_the_words_it_rests_on() -> None:
    scores = six_w(reading("Payment reminders", MAIL))
    assert "by extending the nightly job in `billing/jobs.py`" in scores["where"].evidence
    assert "(line 14" in scores["where"].evidence


def test_the_rules_of_each_w_go_from_sure_to_vague() -> None:
    for rules in SIX_W.values():
        found = [rule.score for rule in rules]
        assert found == sorted(found, reverse=True)
        assert set(found) <= {1.0, 0.8, 0.5}


def test_type_domain_and_complexity_come_with_their_reasons() -> None:
    assert subjects.type_of("Fix the crash on empty files", "") == ("bug", "fix, crash")
    assert subjects.type_of("Something", "") == ("", "")
    assert subjects.domain_of("Login with a password", "")[0] == "security"
    assert subjects.domain_of("A list of files", "") == ("general", "")
    level, facts = subjects.complexity_of("Export", "word " * 900, criteria=8, impact=8)
    assert level == "high"
    assert "8 conditions to check" in facts


def test_the_story_is_quoted_in_the_order_of_its_telling() -> None:
    document = parse(MAIL)
    assert problem(document, "t").startswith("as discussed on Monday")
    context = next(source for source in circumstances(document) if source)
    assert "by hand every Friday" in context
    assert "must send" not in context
    assert "spam" not in context
    assert value(document) == "which costs us half a day per week"


def test_names_that_a_repository_may_know_are_collected() -> None:
    found = mentions("Fix rows", parse(BUG + "\nSee `read_rows()` and rowdown.table in docs/usage.md."))
    assert found.paths[-1] == "/usr/lib/python3.11/site-packages/rowdown/cli.py"
    assert {"docs/usage.md", "rowdown.table"} <= set(found.paths)
    assert {"read_rows", "--strict"} <= set(found.identifiers)


def test_words_raise_one_decision_per_kind_and_are_quoted_in_it() -> None:
    found = choices(
        ["Add a new endpoint for login with a password.", "Another new endpoint.", "Store it in a new table."]
    )
    assert [choice["kind"] for choice in found] == ["security", "api_endpoints"]
    assert "new endpoint for login" in found[1]["question"]
    assert found[0]["recommended"] in [option["key"] for option in found[0]["options"]]
    assert all(len(choice["options"]) >= 2 and choice["blocks"] == "I1" for choice in found)


@pytest.mark.parametrize(
    "words", ["No new dependency.", "Do it without the pandas library", "It must never use webhooks"]
)
def test_denied_words_raise_none(words: str) -> None:
    assert choices([words]) == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Rewrite the importer", "architecture"),
        ("The database schema gets a field", "db_schema"),
        ("Answers come within 200 ms", "performance"),
        ("Call a third-party API", "external_service"),
        ("Use the `orjson` library", "new_dependency"),
        ("The sign-up form loses a step", "conversion_flow"),
        ("It works with a screen reader", "accessibility"),
        ("Show the billing plan", "pricing"),
    ],
)
def test_each_row_of_the_table_is_raised_by_its_words(words: str, kind: str) -> None:
    assert kind in [choice["kind"] for choice in choices([words])]


def test_given_ids_are_kept_and_the_others_get_the_next_free_number() -> None:
    entries = [
        {"text": "a", "id": "AC2"},
        {"text": "b"},
        {"text": "B "},
        {"text": "c", "id": "AC2"},
        {"text": "d", "id": "?"},
    ]
    assert [(e["id"], e["text"]) for e in distinct(entries, "AC")] == [
        ("AC2", "a"), ("AC1", "b"), ("AC3", "c"), ("AC4", "d"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        "- one thing\n- AC2: two things\n",
        ["one thing", "AC2: two things"],
        [{"text": "one thing"}, {"id": "ac2", "text": "two things"}],
        {"": "one thing", "AC2": "two things"},
        ["one thing\n2) two things", None, "tbd"],
    ],
)
def test_answers_are_taken_in_every_shape(value: object) -> None:
    assert [entry["text"] for entry in answered(value, "AC")] == ["one thing", "two things"]


def test_a_label_is_told_from_the_words() -> None:
    assert split_label("AC-3: it works", "AC") == ("AC3", "it works")
    assert split_label("Risk 2 (high) fire", "R") == ("R2", "(high) fire")
    assert split_label("T1000 is a robot", "T") == ("", "T1000 is a robot")
