"""The agents of P1, without its gate check: tasks, hours, order and mitigations, by rules over what D1 found."""

from __future__ import annotations

import math
import re
from itertools import count
from typing import Any

from core.agents.bench import Bench
from core.agents.given import answers_of, result_of
from core.agents.words.choices import choices
from core.agents.words.numbering import answered, answered_pairs, distinct, id_of
from core.agents.words.order import Named, comes_afterwards, order_of, stated_dependencies
from core.agents.words.steps import hours_of
from core.agents.words.text import as_text, brief, content_stems
from core.agents.words.titles import listed_title, task_title
from core.contract import AgentRequest, AgentResponse, Json, blocked, succeeded
from core.placeholders import is_placeholder

LEAST_HOURS, QUANTUM = 0.5, 0.5
BASE_HOURS: dict[str, dict[str, float]] = {
    "feature": {"low": 1.0, "medium": 1.5, "high": 2.5},
    "bug": {"low": 1.0, "medium": 2.0, "high": 3.0},
    "chore": {"low": 0.5, "medium": 1.0, "high": 2.0},
    "spike": {"low": 1.0, "medium": 2.0, "high": 3.0},
    "docs": {"low": 0.5, "medium": 1.0, "high": 1.5},
}
"""By the work item's type and complexity, for a task with one criterion of a few words."""
AFTERWARDS_HOURS = 1.0
"""For a task that only tests or describes what others make."""
WORDS_A_STEP = 15
"""Of its criteria beyond as many more, a task costs another QUANTUM; so does each criterion after the first."""
_SHARED = 2
"""Words that a task and a criterion must have in common to be about the same."""
_CRITERION_ID = re.compile(r"\b([A-Z]{1,3})-?(\d{1,4})\b")
_TASK_ID = re.compile(r"\b[A-Z]{0,3}\d{1,4}\b")


async def decomposer(request: AgentRequest, bench: Bench) -> AgentResponse:
    """A task per criterion, or the request's own tasks with the criteria that they share words with.

    Raises the decisions that the request's words call for. BLOCKED without criteria, and when the request lists
    more tasks than were carried on.
    """
    item = request.input_artifact
    criteria = _entries(item.get("acceptance_criteria"))
    stated = item.get("stated")
    stated = stated if isinstance(stated, dict) else {}
    listed = _entries(stated.get("tasks"))
    cut = stated.get("tasks_found", 0) > len(listed)
    answers = answered(answers_of(request).get("tasks"), "T", textless=True)
    if not criteria:
        return blocked(
            "decomposer",
            {"tasks": []},
            ["acceptance_criteria: found 0"],
            "Give the work item its acceptance criteria; each becomes at least one task.",
        )
    if cut and not answers:
        return blocked(
            "decomposer",
            {"tasks": []},
            [f"tasks: the request lists {stated['tasks_found']}, at most {len(listed)} make one plan"],
            "Split the request, or name the tasks that count, a line each.",
        )
    ids = [criterion["id"] for criterion in criteria]
    tasks = _with_answers(_from_request(criteria, [] if cut else listed), answers, ids)
    words = [
        *(as_text(item.get(key)) for key in ("title", "problem", "value")),
        as_text(stated.get("approach")),
        *(as_text(entry.get("text")) for entry in criteria),
        *(task["title"] for task in tasks),
    ]
    return succeeded("decomposer", {"tasks": tasks}, decisions=choices(words))


async def estimator(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Hours per task: answered, else stated in the request, else by the table; BLOCKED for an unreadable answer."""
    tasks = _tasks_of(request)
    given, unreadable = _given_hours(answers_of(request).get("estimates"))
    item = request.input_artifact
    texts = {entry["id"]: as_text(entry.get("text")) for entry in _entries(item.get("acceptance_criteria"))}
    classification = item.get("classification") or {}
    estimates: dict[str, float] = {}
    basis: dict[str, str] = {}
    for task in tasks:
        stated = hours_of(task.get("estimate_hours"))
        if task["id"] in given:
            estimates[task["id"]], basis[task["id"]] = given[task["id"]], "answered"
        elif stated is not None:
            estimates[task["id"]], basis[task["id"]] = stated, "stated in the request"
        else:
            estimates[task["id"]], basis[task["id"]] = _by_table(task, classification, texts)
    output: Json = {"estimates": estimates, "basis": basis}
    if not unreadable:
        return succeeded("estimator", output)
    return blocked(
        "estimator",
        output,
        [f"estimates: {entry} is no number of hours" for entry in unreadable],
        "Give each as hours, for example T1: 2 or T1: 30 min.",
    )


async def dependency_mapper(request: AgentRequest, bench: Bench) -> AgentResponse:
    """Which task waits for which and why, and an order. Unknown ids and cycles are kept: the gate names them."""
    tasks = _tasks_of(request)
    ids = [task["id"] for task in tasks]
    reasons = stated_dependencies([Named(t["id"], t.get("words") or t["title"], t.get("number", 0)) for t in tasks])
    if (request.input_artifact.get("classification") or {}).get("type") != "docs":
        makers = [task["id"] for task in tasks if not comes_afterwards(task["title"])]
        for task in tasks:
            if task["id"] not in makers and task["id"] not in reasons and makers:
                reasons[task["id"]] = dict.fromkeys(makers, "it tests or describes what that task makes")
    for task in tasks:
        if task.get("depends_on"):
            reasons[task["id"]] = dict.fromkeys(task["depends_on"], "answered")
    for task_id, others in _given_dependencies(answers_of(request).get("depends_on")).items():
        reasons[task_id] = dict.fromkeys(others, "answered")
    depends_on = {task_id: list(others) for task_id, others in reasons.items() if others}
    return succeeded(
        "dependency-mapper",
        {
            "depends_on": depends_on,
            "order": order_of(ids, depends_on),
            "reasons": {task_id: _told(reasons[task_id]) for task_id in depends_on},
        },
    )


async def mitigation_planner(request: AgentRequest, bench: Bench) -> AgentResponse:
    """A plan per risk: answered, else the risk's own mitigation; BLOCKED naming each risk that has none."""
    risks = _entries(request.input_artifact.get("risks"))
    given = _given_plans(answers_of(request).get("mitigations"), risks)
    plans = {risk["id"]: given.get(risk["id"]) or _plan(risk.get("mitigation")) for risk in risks}
    output: Json = {"mitigations": [{"risk": risk_id, "plan": plan} for risk_id, plan in plans.items() if plan]}
    bare = [risk for risk in risks if not plans[risk["id"]]]
    if not bare:
        return succeeded("mitigation-planner", output)
    texts = {risk["id"]: brief(as_text(risk.get("text")), 120) for risk in bare}
    return blocked(
        "mitigation-planner",
        output,
        [f"mitigations: {risk_id} has no plan ({text})" for risk_id, text in texts.items()],
        " ".join(f"{risk_id}: how would “{text}” be prevented, noticed or undone?" for risk_id, text in texts.items()),
    )


async def backlog_curator(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The plan as one list. What another agent could not say is left out here, so that the gate misses it."""
    estimates = result_of(request, "estimator").get("estimates") or {}
    mapped = result_of(request, "dependency-mapper")
    depends_on = mapped.get("depends_on") or {}
    tasks = [
        {
            "id": task["id"],
            "title": task["title"],
            "criteria": task["criteria"],
            **({"estimate_hours": estimates[task["id"]]} if task["id"] in estimates else {}),
            "depends_on": list(depends_on.get(task["id"], ())),
        }
        for task in _tasks_of(request)
    ]
    order = mapped.get("order") or [task["id"] for task in tasks]
    by_id = {task["id"]: task for task in tasks}
    return succeeded(
        "backlog-curator",
        {
            "tasks": [by_id[task_id] for task_id in order if task_id in by_id],
            "order": order,
            "mitigations": result_of(request, "mitigation-planner").get("mitigations") or [],
        },
    )


def _from_request(criteria: list[Json], listed: list[Json]) -> list[Json]:
    """The listed tasks with the criteria that they name or share words with, then one per criterion left over."""
    own = distinct([{**entry, "text": as_text(entry.get("text"))} for entry in listed], "T")
    ids = [criterion["id"] for criterion in criteria]
    serves = {entry["id"]: _named_criteria(entry["text"], ids) for entry in own}
    stems = {entry["id"]: content_stems(entry["text"]) for entry in own if not serves[entry["id"]]}
    named = {criterion_id for found in serves.values() for criterion_id in found}
    left: list[Json] = []
    for criterion in criteria:
        if criterion["id"] in named:
            continue
        closest = _closest(content_stems(as_text(criterion.get("text"))), stems)
        if closest:
            serves[closest].append(criterion["id"])
        else:
            left.append(criterion)
    tasks = [
        {**_task(entry["id"], listed_title(entry["text"]), serves[entry["id"]], entry["text"]), **_stated(entry)}
        for entry in own
    ]
    taken = {task["id"] for task in tasks}
    numbers = (free for n in count(1) if (free := f"T{n}") not in taken)
    derived = [(next(numbers), as_text(criterion.get("text")), criterion["id"]) for criterion in left]
    return tasks + [_task(task_id, task_title(text), [criterion]) for task_id, text, criterion in derived]


def _with_answers(tasks: list[Json], answers: list[Json], ids: list[str]) -> list[Json]:
    """The tasks as a human changed them by id, and then those that a human added."""
    result = {task["id"]: task for task in tasks}
    for answer in answers:
        task_id = answer["id"] or next(free for n in count(1) if (free := f"T{n}") not in result)
        title, named = listed_title(answer["text"]), _named_criteria(answer["text"], ids)
        known = result.get(task_id) or _task(task_id, title, named, answer["text"])
        criteria = answer.get("criteria")
        result[task_id] = {
            **known,
            **_stated({**answer, "hours": answer.get("estimate_hours")}),
            **({"title": title, "words": answer["text"]} if answer["text"] else {}),
            **({"criteria": [c for c in ids if c in criteria]} if isinstance(criteria, list) else {}),
        }
    return list(result.values())


def _task(task_id: str, title: str, criteria: list[str], words: str = "") -> Json:
    """`words` are the request's own, where the title does not hold them all: order is read from them."""
    more = {"words": words} if words and words != title else {}
    return {"id": task_id, "title": title, "criteria": criteria, **more}


def _stated(entry: Json) -> Json:
    """What a listed or an answered task says beside its title, as far as it says anything."""
    depends_on = entry.get("depends_on")
    others = [as_text(other).strip() for other in depends_on] if isinstance(depends_on, list) else []
    known = {"estimate_hours": hours_of(entry.get("hours")), "number": entry.get("number"), "depends_on": others}
    return {key: value for key, value in known.items() if value not in (None, 0, [])}


def _named_criteria(text: str, ids: list[str]) -> list[str]:
    named = {f"{letters}{int(number)}" for letters, number in _CRITERION_ID.findall(text)}
    return [criterion_id for criterion_id in ids if criterion_id in named]


def _closest(wanted: frozenset[str], stems: dict[str, frozenset[str]]) -> str:
    """The task that shares most words with a criterion; "" when none shares _SHARED."""
    shared = {task_id: len(wanted & words) for task_id, words in stems.items()}
    best = max(shared, key=lambda task_id: shared[task_id], default="")
    return best if best and shared[best] >= _SHARED else ""


def _by_table(task: Json, classification: Json, texts: dict[str, str]) -> tuple[float, str]:
    kind, level = classification.get("type", "feature"), classification.get("complexity", "medium")
    row = BASE_HOURS.get(kind, BASE_HOURS["feature"])
    afterwards = comes_afterwards(task["title"])
    base = AFTERWARDS_HOURS if afterwards else row.get(level, row["medium"])
    criteria = len(task["criteria"])
    words = len(" ".join(texts.get(criterion, "") for criterion in task["criteria"]).split())
    more = QUANTUM * max(criteria - 1, 0) + QUANTUM * max(words // WORDS_A_STEP - 1, 0)
    hours = max(round((base + more) / QUANTUM) * QUANTUM, LEAST_HOURS)
    what = "a task that tests or describes" if afterwards else f"a {kind} of {level} complexity"
    return hours, f"{base:g} h for {what}, {more:g} h more for its extent (criteria: {criteria}, words: {words})"


def _given_hours(value: Any) -> tuple[dict[str, float], list[str]]:
    """Hours per task from an answer, and the entries that cannot be read as hours."""
    hours: dict[str, float] = {}
    unreadable = []
    for task_id, figure in answered_pairs(value, "T", ("hours", "estimate_hours", "estimate")):
        found = hours_of(figure)
        if task_id and found is not None and math.isfinite(found):
            hours[task_id] = found
        else:
            unreadable.append(brief(f"{task_id} {as_text(figure)!r}".strip(), 80))
    return hours, unreadable


def _given_dependencies(value: Any) -> dict[str, list[str]]:
    pairs = answered_pairs(value, "T", ("depends_on", "after", "needs"))
    return {
        task_id: [id_of(other, "T") for other in _TASK_ID.findall(as_text(others).upper())]
        for task_id, others in pairs
        if task_id
    }


def _given_plans(value: Any, risks: list[Json]) -> dict[str, str]:
    """Plans per risk. Words that name no risk are the plan of the only risk that has none."""
    plans = {risk_id: _plan(plan) for risk_id, plan in answered_pairs(value, "R", ("plan", "mitigation", "text"))}
    loose = plans.pop("", "")
    bare = [risk["id"] for risk in risks if not _plan(risk.get("mitigation")) and not plans.get(risk["id"])]
    return {**plans, bare[0]: loose} if loose and len(bare) == 1 else plans


def _plan(value: Any) -> str:
    """A plan on one line; "" for words that only hold its place."""
    plan = brief(as_text(value))
    return "" if is_placeholder(plan) else plan


def _told(reasons: dict[str, str]) -> str:
    """Why a task waits, each reason once with the tasks that it names."""
    by_reason: dict[str, list[str]] = {}
    for other, reason in reasons.items():
        by_reason.setdefault(reason, []).append(other)
    return "; ".join(f"{', '.join(others)}: {reason}" for reason, others in by_reason.items())


def _entries(value: Any) -> list[Json]:
    """The objects with an id of a list in an artifact, its other entries left out."""
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _tasks_of(request: AgentRequest) -> list[Json]:
    return _entries(result_of(request, "decomposer").get("tasks"))
