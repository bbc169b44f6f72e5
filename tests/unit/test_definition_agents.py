"""D1's agents on real requests and a real repository: what they take from the words, and what they ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.agents.bench import Bench
from core.agents.definition import (
    ac_writer,
    context_assembler,
    intent_triage,
    problem_framer,
    risk_notary,
    value_articulator,
)
from core.contract import AgentRequest, AgentResponse, Json, Status, canonical_json
from core.orchestration.findings import findings
from tests.unit.git_project import commit, project
from tests.unit.request_samples import (
    BUG,
    BUG_TITLE,
    FEATURE,
    FEATURE_TITLE,
    FOREIGN,
    FOREIGN_TITLE,
    GHERKIN,
    GHERKIN_TITLE,
    MAIL,
    MAIL_TITLE,
    PLANNED,
    PLANNED_TITLE,
    TERSE,
    TERSE_TITLE,
    VAGUE,
    VAGUE_TITLE,
)

Agent = Callable[[AgentRequest, Bench], Awaitable[AgentResponse]]
AGENTS: dict[str, Agent] = {
    "intent-triage": intent_triage,
    "context-assembler": context_assembler,
    "problem-framer": problem_framer,
    "value-articulator": value_articulator,
    "risk-notary": risk_notary,
    "ac-writer": ac_writer,
}


def raw(title: str, body: Any, kind: str = "feature") -> Json:
    return {"title": title, "type": kind, "body": body, "tags": [], "impact": 3}


def bench(tmp_path: Path, tree: Path | None = None) -> Bench:
    return Bench(tree, tmp_path, tmp_path)


async def define(
    content: Json, at: Bench, answers: Json | None = None, of: Json | None = None
) -> dict[str, AgentResponse]:
    """All of D1's agents in their order, each with what those before it found."""
    responses: dict[str, AgentResponse] = {}
    for role, agent in AGENTS.items():
        results = {known: response.output_artifact for known, response in responses.items()}
        context: Json = {"results": results, "answers": answers or {}, **({"project": of} if of else {})}
        responses[role] = await agent(AgentRequest("definition-orch", content, context, "workitem.ready"), at)
        assert responses[role].responding_agent == role
        canonical_json(responses[role].to_json())
    return responses


def blocked(responses: dict[str, AgentResponse]) -> dict[str, list[str]]:
    return {role: r.missing for role, r in responses.items() if r.status is Status.BLOCKED}


@pytest.mark.parametrize(
    ("title", "body", "kind", "criteria", "risks"),
    [
        (FEATURE_TITLE, FEATURE, "feature", 5, 2),
        (BUG_TITLE, BUG, "bug", 3, 1),
        (GHERKIN_TITLE, GHERKIN, "feature", 3, 1),
        (MAIL_TITLE, MAIL, "feature", 4, 2),
        (TERSE_TITLE, TERSE, "feature", 3, 1),
        (PLANNED_TITLE, PLANNED, "feature", 3, 1),
    ],
)
async def test_a_rich_request_of_any_form_needs_no_question(
    tmp_path: Path, title: str, body: str, kind: str, criteria: int, risks: int
) -> None:
    found = await define(raw(title, body, kind), bench(tmp_path))

    assert blocked(found) == {}
    assert len(found["ac-writer"].output_artifact["acceptance_criteria"]) == criteria
    assert len(found["risk-notary"].output_artifact["risks"]) == risks
    assert found["problem-framer"].output_artifact["confidence"] >= 0.70
    assert len(found["value-articulator"].output_artifact["business_context"]) >= 50


async def test_a_vague_line_ends_in_good_questions(tmp_path: Path) -> None:
    found = await define(raw(VAGUE_TITLE, VAGUE), bench(tmp_path))

    missing = blocked(found)
    assert missing["ac-writer"] == ["acceptance_criteria: found 0 of 3"]
    assert missing["risk-notary"] == ["risks: found 0 of 1"]
    assert missing["value-articulator"] == ["business_context: found 0 of 50 characters"]
    assert "who: nothing found" in missing["problem-framer"]
    asked = found["problem-framer"].metadata["suggestion"]
    assert "Who is affected, and what are they trying to do?" in asked
    assert len(asked) <= 500
    assert "at least 3 conditions that someone can check" in found["ac-writer"].metadata["suggestion"]
    assert found["problem-framer"].output_artifact["confidence"] < 0.5


@pytest.mark.parametrize("heading", ["{}:", "## {}"])
async def test_a_request_in_another_language_is_told_that_it_is_not_understood(tmp_path: Path, heading: str) -> None:
    body = "\n".join(heading.format(line[:-1]) if line.endswith(":") else line for line in FOREIGN.split("\n"))
    found = await define(raw(FOREIGN_TITLE, body), bench(tmp_path))
    results = {role: response.output_artifact for role, response in found.items()}

    (told,) = findings("D1", results, {})
    assert told.startswith(
        'The rules that work without a model read English, with headings such as "Acceptance criteria"'
    )
    assert told.endswith("fill it in here, or set a model.")


@pytest.mark.parametrize(("body", "answers"), [(VAGUE, {}), (FEATURE, {}), (FOREIGN, {"business_context": "An hour."})])
async def test_a_thin_request_or_one_of_which_something_is_understood_is_not(
    tmp_path: Path, body: str, answers: Json
) -> None:
    found = await define(raw(VAGUE_TITLE, body), bench(tmp_path), answers)

    assert "unread" not in found["value-articulator"].output_artifact


async def test_answers_fill_the_holes_and_are_told_apart(tmp_path: Path) -> None:
    answers = {
        "who": "support engineers", "when": "every Monday", "where": "the report page", "why": "it costs a day",
        "how": "a cache", "what": "", "business_context": "The report takes four hours, so nobody reads it on time.",
        "value": "reports on time", "risks": [{"text": "stale figures", "severity": "High", "mitigation": "expire"}],
        "acceptance_criteria": "1. the page opens\n2. AC9: the figures are right\n- they are fresh\n",
    }  # fmt: skip
    found = await define(raw(VAGUE_TITLE, VAGUE), bench(tmp_path), answers)

    assert blocked(found) == {}
    framed = found["problem-framer"].output_artifact
    assert framed["six_w"]["who"] == 1.0
    assert framed["six_w_evidence"]["who"] == "answered: support engineers"
    assert framed["stated"]["approach"] == "a cache"
    assert found["ac-writer"].output_artifact["acceptance_criteria"] == [
        {"id": "AC1", "text": "the page opens"},
        {"id": "AC9", "text": "the figures are right"},
        {"id": "AC2", "text": "they are fresh"},
    ]
    assert found["risk-notary"].output_artifact["risks"] == [
        {"id": "R1", "text": "stale figures", "severity": "high", "mitigation": "expire"}
    ]
    assert found["value-articulator"].output_artifact["value"] == "reports on time"


async def test_an_answer_that_only_holds_a_place_says_nothing_of_the_six(tmp_path: Path) -> None:
    before = await define(raw(VAGUE_TITLE, VAGUE), bench(tmp_path), {})
    after = await define(raw(VAGUE_TITLE, VAGUE), bench(tmp_path), dict.fromkeys(("who", "what", "why", "how"), "..."))

    assert after["problem-framer"].output_artifact == before["problem-framer"].output_artifact


async def test_answered_conditions_are_added_to_those_found_once(tmp_path: Path) -> None:
    body = "## Acceptance criteria\n- It opens\n- It closes"
    answers = {"acceptance_criteria": ["it opens.", {"id": "AC1", "text": "It locks"}]}
    found = await define(raw("A door for the app", body), bench(tmp_path), answers)

    written = found["ac-writer"].output_artifact
    assert [(c["id"], c["text"]) for c in written["acceptance_criteria"]] == [
        ("AC1", "It opens"), ("AC2", "It closes"), ("AC3", "It locks"),
    ]  # fmt: skip
    assert written["sources"] == {"AC1": "line 2", "AC2": "line 3", "AC3": "answered"}


async def test_the_type_given_wins_over_the_words_and_the_answer_over_both(tmp_path: Path) -> None:
    async def classified(kind: str, body: str, answers: Json | None = None) -> Json:
        found = await define(raw("Crash on start", body, kind), bench(tmp_path), answers)
        classification: Json = found["intent-triage"].output_artifact["classification"]
        return classification

    assert (await classified("chore", ""))["type"] == "chore"
    assert (await classified("", ""))["type"] == "bug"
    assert (await classified("", "Traceback (most recent call last):\n  x\nE: y"))["type"] == "bug"
    answered = await classified("", "", {"type": "spike", "domain": "Billing", "complexity": "high"})
    assert answered == {"type": "spike", "domain": "billing", "complexity": "high"}


async def test_a_request_whose_type_nothing_tells_is_asked_for_it(tmp_path: Path) -> None:
    found = await define(raw("Greetings", None, ""), bench(tmp_path))
    assert blocked(found)["intent-triage"][0].startswith("type: ")
    assert "feature, bug, chore, spike, docs" in found["intent-triage"].metadata["suggestion"]


async def test_stated_tasks_and_the_approach_are_carried_on_for_planning(tmp_path: Path) -> None:
    found = await define(raw(PLANNED_TITLE, PLANNED + "\n## Approach\nRead them once.\n"), bench(tmp_path))
    stated = found["problem-framer"].output_artifact["stated"]
    assert stated["tasks_found"] == len(stated["tasks"]) == 4
    assert stated["tasks"][0]["hours"] == 2.0
    assert stated["approach"] == "Read them once."


async def test_more_conditions_than_one_work_item_can_have_are_asked_about_not_cut(tmp_path: Path) -> None:
    body = "## Acceptance criteria\n" + "".join(f"- thing {n} works\n" for n in range(300))
    found = await define(raw("Many things", body), bench(tmp_path))
    assert blocked(found)["ac-writer"] == ["acceptance_criteria: found 300, at most 200 make one work item"]

    chosen = await define(raw("Many things", body), bench(tmp_path), {"acceptance_criteria": ["a b", "c d", "e f"]})
    assert [c["text"] for c in chosen["ac-writer"].output_artifact["acceptance_criteria"]] == ["a b", "c d", "e f"]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"title": None, "type": 7, "body": None, "tags": None, "impact": "high"},
        {"title": ["a", 1], "type": {}, "body": ["- x\0\x1b]52;c;QQ==\x07 y", 3], "tags": [None, 5], "impact": -1},
        {"title": "[bold]\u202ex", "type": "FEATURE", "body": {"a": 1}, "tags": "x", "impact": float("nan")},
        {"title": "x", "body": "# \n- \n|\n```\n<!--\nGiven\nThen"},
    ],
)
async def test_odd_fields_never_break_an_agent(tmp_path: Path, content: Json) -> None:
    found = await define(content, bench(tmp_path), {"risks": 5, "acceptance_criteria": [None, {}], "who": ["a"]})
    for response in found.values():
        text = canonical_json(response.to_json())
        assert not {"\0", "\x1b", "\u202e"} & set(text)


async def test_a_body_of_two_megabytes_is_read_and_answered(tmp_path: Path) -> None:
    filler = "The quick brown fox jumps over the lazy dog, e.g. at night.\n\n"
    found = await define(raw(FEATURE_TITLE, FEATURE + filler * (2 * 2**20 // len(filler))), bench(tmp_path))
    assert blocked(found) == {}
    assert len(canonical_json({role: r.to_json() for role, r in found.items()})) < 20_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    repo = tmp_path / "répo with spaces"
    commit(
        repo,
        {
            "src/rowdown/__init__.py": '__version__ = "2.3.1"\n',
            "src/rowdown/rows.py": "def read_rows(path):\n    return next(path)\n",
            "src/rowdown/cli.py": "from rowdown.rows import read_rows\n",
            "migrations/0001_first.py": "",
            "tests/test_rows.py": "from rowdown import rows\n",
            "docs/usage.md": "# Usage\n",
        },
        "first",
    )
    for number in range(9):
        commit(repo, {"src/rowdown/cli.py": f"# {number}\nfrom rowdown.rows import read_rows\n"}, f"cli {number}")
    return repo


TECH: Json = {
    "languages": ["python"], "frameworks": [], "docs": ["docs/usage.md"], "test_dirs": ["tests"], "package": "rowdown",
    "version_file": {"path": "src/rowdown/__init__.py", "kind": "dunder"}, "migrations": ["migrations"],
}  # fmt: skip


async def test_the_files_that_a_traceback_and_code_marks_name_are_found(tmp_path: Path, tree: Path) -> None:
    found = await define(raw(BUG_TITLE, BUG, "bug"), bench(tmp_path, tree), of=project(tree, tech=TECH))
    context = found["context-assembler"].output_artifact

    files = {entry["path"]: entry for entry in context["files"]}
    assert files["src/rowdown/rows.py"]["named"]
    assert files["src/rowdown/cli.py"]["why"].endswith("rowdown/cli.py")
    assert context["languages"] == ["python"]
    assert [c["subject"] for c in context["recent_commits"]] == [f"cli {n}" for n in (8, 7, 6, 5, 4)]
    assert len(context["files"]) <= 20


async def test_names_modules_and_words_of_the_title_point_to_files(tmp_path: Path, tree: Path) -> None:
    body = "See `read_rows()` and `rowdown.rows`, not `old/usage.md`."
    found = await define(raw("Better usage", body), bench(tmp_path, tree), of=project(tree, tech=TECH))
    why = {entry["path"]: entry["why"] for entry in found["context-assembler"].output_artifact["files"]}
    assert why["src/rowdown/rows.py"] == "the request names rowdown.rows"
    assert why["src/rowdown/cli.py"] == "contains read_rows"
    assert why["docs/usage.md"] == "its name holds the title's word usage"


async def test_facts_about_named_files_show_risks_with_their_evidence(tmp_path: Path, tree: Path) -> None:
    body = "Change `src/rowdown/cli.py` and `migrations/0001_first.py`."
    found = await define(raw("Change things", body), bench(tmp_path, tree), of=project(tree, tech=TECH))
    notary = found["risk-notary"].output_artifact

    texts = [risk["text"] for risk in notary["risks"]]
    assert "src/rowdown/cli.py was changed by 10 of the last 10 commits: others may be changing it now." in texts
    assert any("folder of database migrations" in text for text in texts)
    assert any(text.startswith("No test file mentions cli") for text in texts)
    assert all(risk["mitigation"] for risk in notary["risks"])
    assert set(notary["sources"].values()) == {"computed from the repository"}


async def test_a_project_without_tests_is_a_risk_and_a_calm_one_is_none(tmp_path: Path, tree: Path) -> None:
    without = project(tree, tech={**TECH, "test_dirs": []})
    found = await define(raw("Change things", "nothing"), bench(tmp_path, tree), of=without)
    assert "no folder of tests" in found["risk-notary"].output_artifact["risks"][0]["text"]

    calm = await define(raw("Change things", "See `rows.py`."), bench(tmp_path, tree), of=project(tree, tech=TECH))
    assert blocked(calm)["risk-notary"] == ["risks: found 0 of 1"]


async def test_without_a_project_there_is_no_context_and_the_reason_says_so(tmp_path: Path) -> None:
    found = await define(raw(FEATURE_TITLE, FEATURE), bench(tmp_path))
    context = found["context-assembler"].output_artifact
    assert context["files"] == context["recent_commits"] == []
    assert "no project" in context["reason"]
