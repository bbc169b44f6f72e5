"""Agents, domain agents and people together: in the pipeline, in a scope review, by documents of decisions."""

from __future__ import annotations

import json
from typing import Any

from core.contract import AgentRequest, AgentResponse, Json, succeeded
from core.orchestration import work_items
from core.store.transaction import Transaction
from tests.acceptance.people import OPTIONS, Driving, agent, decide, document, escalation
from tests.unit.command_line import CommandLine
from tests.unit.scripted import OUTPUTS, TASK, Scripted


def raised(kind: str, domain: str, question: str, **more: Any) -> Json:
    facts: Json = {"kind": kind, "domain": domain, "question": question, "impact": 5, "options": OPTIONS}
    return {**facts, "recommended": "move", **more}


def planning(request: AgentRequest) -> AgentResponse:
    """Two tasks, an autonomous choice, and two owners who differ on a topic that has a rule."""
    tasks = [{**TASK, "id": "T1"}, {**TASK, "id": "T2"}]
    decisions = [
        raised("api_endpoints", "technical", "Which shape has the endpoint?"),
        raised("performance", "technical", "Is the list cached?", topic="performance of the list"),
        raised("layout", "ux", "Is the list live?", topic="performance of the list", recommended="stay"),
    ]
    return succeeded("decomposer", {"tasks": tasks}, decisions=decisions)


def patterns(request: AgentRequest) -> AgentResponse:
    """The first task needs an outside service, which is a person's to allow."""
    asked = [raised("external_service", "technical", "May the list call the map service?", blocks="T1")]
    mine = asked if request.context["task"]["id"] == "T1" else []
    return succeeded("pattern-applier", OUTPUTS["pattern-applier"], decisions=mine)


def script() -> Scripted:
    order = ["T1", "T2"]
    tasks = [{**TASK, "id": number, "criteria": ["AC1", "AC2", "AC3"]} for number in order]
    return Scripted(
        decomposer=planning,
        estimator=lambda _: succeeded("estimator", {"estimates": dict.fromkeys(order, 2)}),
        dependency_mapper=lambda _: succeeded("dependency-mapper", {"depends_on": {}, "order": order}),
        backlog_curator=lambda _: succeeded(
            "backlog-curator", {**OUTPUTS["backlog-curator"], "tasks": tasks, "order": order}
        ),
        pattern_applier=patterns,
    )


def coded(played: Scripted) -> list[str]:
    return [request.context["task"]["id"] for request in played.requests.get("code-implementer", [])]


async def test_agent_interactions(pm33: CommandLine) -> None:
    """Sub-agents raise choices, owners decide, a rule settles a difference, and only what depends on a person waits."""

    def add(tx: Transaction) -> int:
        number = work_items.create(tx, title="A list of places", project=None)
        work_items.accept(tx, number, "ada")
        work_items.stop_after(tx, number, "I1")
        return number

    number = str(pm33.write(add))
    first = script()
    async with Driving(pm33.folder, runtimes=first.as_runtimes()) as driving:
        await driving.settle()
    assert coded(first) == ["T2"]
    assert first.requests["technical"][0].requesting_agent == "decomposer"

    waiting = pm33("work-item", "show", number, "--json").json

    assert waiting["state"] == "waiting"
    choices = {made["question"]: made for made in waiting["decisions"]}
    assert choices["Which shape has the endpoint?"]["decided_by"] == "technical"
    assert choices["Is the list live?"]["decided_by"] == "technical-wins-performance"
    assert [choices[q]["choice"] for q in ("Is the list cached?", "Is the list live?")] == ["move", "move"]
    assert [(found["winner"], found["outcome"]) for found in waiting["conflicts"]] == [("technical", "resolved")]
    [asked] = waiting["escalations"]
    assert escalation(pm33, asked)["chain"] == [
        *("master-orchestrator", "implementation-orch", "pattern-applier", "technical")
    ]
    assert pm33("escalation", "resolve", str(asked), "--recommended", "--by", "ada").code == 0

    second = script()
    async with Driving(pm33.folder, runtimes=second.as_runtimes()) as driving:
        await driving.settle()

    assert coded(second) == ["T1"]
    done = pm33("work-item", "show", number, "--json").json
    assert [(p["phase"], p["status"]) for p in done["phases"]] == [("D1", "passed"), ("P1", "passed"), ("I1", "passed")]


ONE_BY_ONE = 6
"""Answers whose attention is measured, as it takes for the hours of a proposal to be known."""


def answered(pm33: CommandLine, role: str, kind: str, *words: str, times: int, otherwise: int = 0) -> None:
    """So many questions of a kind: some are answered one by one, the rest in one document, its last otherwise."""
    asked = [decide(pm33, role, kind, *words, question=f"Does {kind} {n} move?")[1]["escalation"] for n in range(times)]
    for number in asked[:ONE_BY_ONE]:
        assert pm33("escalation", "resolve", str(number), "--recommended", "--by", "ada").code == 0
    asked, cut = asked[ONE_BY_ONE:], times - otherwise - ONE_BY_ONE
    entries = [{"escalation": n, "option": "move"} for n in asked[:cut]]
    entries += [{"escalation": n, "option": "stay", "reason": "Not this one."} for n in asked[cut:]]
    applied = pm33("decisions", "apply", "-", "--json", stdin=document("ada", *entries))
    assert applied.code == 0, applied.err


def proposals(pm33: CommandLine) -> dict[tuple[str, str], Json]:
    return {(row["change"], row["kind"]): row for row in pm33("scope", "list", "--json").json}


def test_scope_optimization(pm33: CommandLine) -> None:
    """Authority grows on a record and by a person's word, reaches files at once, and shrinks when it is taken back."""
    answered(pm33, "ux", "information_architecture", times=25, otherwise=1)
    answered(pm33, "gtm", "customer_reference", times=21)
    assert pm33("agents", "generate", "--all", "--provider", "claude-code", "--json").code == 0
    [file] = pm33.folder.glob(".claude/agents/**/ux.md")
    before = file.read_text(encoding="utf-8")

    assert pm33("scope", "review", "--by", "ada", "--json").code == 0

    found = proposals(pm33)
    expansion = found["expansion", "information_architecture"]
    assert (expansion["n"], expansion["accepted"], round(expansion["lower_bound"], 4)) == (25, 24, 0.8046)
    assert ("expansion", "customer_reference") not in found
    assert decide(pm33, "ux", "information_architecture", question="Before?")[1]["outcome"] == "escalated"

    approved = pm33("scope", "approve", str(expansion["id"]), "--by", "ada", "--reason", "It is earned.", "--json")

    assert approved.code == 0, approved.err
    made = decide(pm33, "ux", "information_architecture", question="After?")[1]
    assert (made["outcome"], made["choice"]) == ("decided", "move")
    own = {kind["key"] for kind in agent(pm33, "ux")["authority"]["autonomous"]}
    assert "information_architecture" in own
    assert file.read_text(encoding="utf-8") != before
    refused = document(
        "ada",
        {"authority": {"agent": "gtm", "kind": "customer_reference", "mode": "autonomous"}, "reason": "21 of 21."},
    )
    assert pm33("decisions", "apply", "-", stdin=refused).code == 2

    reverse = ("decisions", "reverse", str(made["decision"]), "--by", "ada", "--reason", "Not where people look.")
    assert pm33(*reverse).code == 0

    contraction = proposals(pm33)["contraction", "information_architecture"]
    assert (contraction["n"], contraction["accepted"], contraction["status"]) == (1, 0, "proposed")
    assert pm33("scope", "approve", str(contraction["id"]), "--by", "ada", "--reason", "Back to asking.").code == 0
    assert decide(pm33, "ux", "information_architecture", question="Again?")[1]["outcome"] == "escalated"
    assert file.read_text(encoding="utf-8") == before


async def test_human_decision_processing(pm33: CommandLine) -> None:
    """A document of decisions is applied whole, once, or not at all; from a command and from the inbox alike."""
    first, second, third = (decide(pm33, "ux", "navigation", question=f"Question {n}?")[1]["escalation"] for n in "123")
    shown = escalation(pm33, third)["digest"]
    legal = {"escalation": first, "option": "move"}

    half = pm33(
        "decisions", "apply", "-", "--json", stdin=document("ada", legal, {"escalation": 999, "option": "move"})
    )
    assert half.code == 2
    assert [problem["index"] for problem in half.json["problems"]] == [1]
    ceiling = {"authority": {"agent": "technical", "kind": "security", "mode": "autonomous"}, "reason": "I dare."}
    for entries in ((legal, ceiling), (legal, {**legal, "option": "stay", "reason": "Both?"})):
        assert pm33("decisions", "apply", "-", stdin=document("ada", *entries)).code == 2
    assert pm33("decisions", "apply", "-", stdin=document("technical", legal)).code == 2
    assert escalation(pm33, first)["status"] == "open"

    # The same question is put once more with another recommendation: what was shown is not what is asked.
    context = json.dumps({"options": OPTIONS, "recommended": "stay"})
    pm33("decide", "--agent", "ux", "--kind", "navigation", "--question", "Question 3?", "--context", context)
    old = pm33(
        "decisions",
        "apply",
        "-",
        stdin=document("ada", {"escalation": third, "option": "move", "digest": shown, "reason": "As I saw it."}),
    )
    assert old.code == 2
    assert "recommended was move, is stay" in old.err

    whole = document(
        "ada",
        legal,
        {"escalation": second, "option": "stay", "reason": "People know it."},
        {"authority": {"agent": "technical", "kind": "caching", "mode": "escalate"}, "reason": "Too early."},
    )
    inbox = pm33.folder / "state" / "inbox"
    async with Driving(pm33.folder) as driving:
        for name, text in (("good.json", whole), ("bad.json", document("ada", legal, ceiling))):
            (inbox / f".{name}").write_text(text, encoding="utf-8")
            (inbox / f".{name}").rename(inbox / name)
            await driving.until_told(name, times=1)

    assert (inbox / "applied" / "good.json").read_text(encoding="utf-8") == whole
    assert "already answered" in (inbox / "rejected" / "bad.json.reasons.txt").read_text(encoding="utf-8")
    assert [escalation(pm33, n)["resolution"]["option"] for n in (first, second)] == ["move", "stay"]
    assert escalation(pm33, third)["status"] == "open"
    assert decide(pm33, "technical", "caching", question="How long?")[1]["outcome"] == "escalated"
    assert pm33("decisions", "apply", "-", stdin=whole).code == 2
