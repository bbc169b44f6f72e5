"""What a schema cannot say about an answer: whether it makes sense for its request. And what is ours to fill in.

A figure that follows from others is reckoned here, a requester's or a person's word stands whatever the model makes of
it, and what only a person may waive is set from that person's answer alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from core.agents.given import answers_of, result_of
from core.agents.words import subjects
from core.agents.words.numbering import answered, answered_pairs
from core.agents.words.steps import hours_of
from core.agents.words.text import as_text, brief
from core.contract import AgentRequest, Json
from core.sanitise import one_line

SIX = ("who", "what", "when", "where", "why", "how")
_SAID = ("text", "title", "plan", "problem", "business_context")
_WAIVER_CHARACTERS = 1_000

Ids = Mapping[str, Sequence[str]]


def problems(role: str, envelope: Json, ids: Ids, request: AgentRequest) -> list[str]:
    """What is wrong with an answer whose form is right, a sentence each."""
    output, whole = envelope["output"], envelope["status"] == "SUCCESS"
    found = [*_twice(output, "output"), *_empty(output, "output", whole), *_undecided(envelope.get("decisions", ()))]
    if not whole and not (envelope["missing"] and envelope["suggestion"].strip()):
        found.append("status is BLOCKED: `missing` has to name what is missing, and `suggestion` what would supply it.")
    if role in _ALWAYS:
        found += _ALWAYS[role](output, ids, request)
    if whole and role in _WHOLE:
        found += _WHOLE[role](output, ids, request)
    return found


def _twice(value: object, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _twice(part, f"{where}.{key}")
    elif isinstance(value, list):
        counted = Counter(str(part["id"]) for part in value if isinstance(part, dict) and "id" in part)
        yield from (f"{where}: the id {name} is there {n} times." for name, n in counted.items() if n > 1)
        for number, part in enumerate(value):
            yield from _twice(part, f"{where}.{number}")


def _empty(value: object, where: str, whole: bool) -> Iterator[str]:
    """Entries of lists always say something; what stands for itself may be empty while the agent is blocked."""
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from _empty(part, f"{where}.{number}", True)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in _SAID and isinstance(part, str) and not part.strip() and whole:
                yield f"{where}.{key}: it is empty."
            yield from _empty(part, f"{where}.{key}", whole)


def _undecided(decisions: Iterable[Json]) -> Iterator[str]:
    for number, raised in enumerate(decisions):
        keys = [option["key"] for option in raised["options"]]
        if len(set(keys)) < len(keys):
            yield f"decisions.{number}.options: two options have the same key."
        if raised.get("recommended") is not None and keys and raised["recommended"] not in keys:
            yield f"decisions.{number}.recommended: it is none of the options' keys."
        if not raised["question"].strip():
            yield f"decisions.{number}.question: it is empty."


def _framed(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    for name in SIX:
        if output["six_w"][name] > 0 and not output["six_w_evidence"][name].strip():
            yield (
                f"six_w.{name} is {output['six_w'][name]:g} and six_w_evidence.{name} is empty: "
                "quote the words that it rests on, or rate it 0."
            )


def _cut(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    served = {criterion for task in output["tasks"] for criterion in task["criteria"]}
    if not output["tasks"]:
        yield "tasks: there is none."
    yield from (f"tasks: no task serves {name}." for name in ids.get("criteria", ()) if name not in served)


def _estimated(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    hours, given = output["estimates"], _answered_hours(request)
    yield from (
        f"estimates: {task} has no hours above 0."
        for task in ids.get("tasks", ())
        if not hours.get(task) and task not in given
    )


def _mapped(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    yield from _ordered(output["order"], ids.get("tasks", ()))
    try:
        TopologicalSorter(output["depends_on"]).prepare()
    except CycleError as error:
        yield f"depends_on: a circle, {' -> '.join(error.args[1])}."


def _mitigated(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    planned = {entry["risk"] for entry in output["mitigations"]}
    yield from (f"mitigations: {risk} has no plan." for risk in ids.get("risks", ()) if risk not in planned)


def _curated(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    """The curator joins what others found; a figure of its own would look like theirs."""
    yield from _ordered(output["order"], [task["id"] for task in output["tasks"]])
    yield from _ordered([task["id"] for task in output["tasks"]], ids.get("tasks", ()), "tasks")
    found = result_of(request, "estimator").get("estimates") or {}
    for task in output["tasks"]:
        own, theirs = task.get("estimate_hours") or None, found.get(task["id"])
        if own != theirs:
            said = "none" if theirs is None else f"{theirs:g}"
            yield f"tasks: {task['id']} has {own or 'no'} hours, the estimator found {said}."


def _ordered(order: Sequence[str], tasks: Sequence[str], name: str = "order") -> Iterator[str]:
    if sorted(order) != sorted(tasks):
        yield f"{name}: it has to hold each of {', '.join(tasks) or 'no tasks'} once."


def _migrated(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    if output["schema_changed"] and not output["created"] and not answers_of(request).get("migrations"):
        yield "created: the schema changed and no migration came, so the status is BLOCKED."


def _documented(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    if not output["updated"] and not answers_of(request).get("docs"):
        yield "updated: nothing is documented, so the status is BLOCKED."


def _understood(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    if not output["insights"] or not output["telemetry"]["analyzed"]:
        yield "insights: there is none; where nothing stands out, give one with the rule `none` that says so."


def _proposed(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    if not output["improvements"] or not (output["backlog"]["added"] or output["backlog"]["updated"]):
        yield "improvements and backlog: one is empty; give an entry with the id `none` that says what was looked at."
    if any(entry["id"] == "none" and not entry["evidence"] for entry in output["improvements"]):
        yield "improvements: the entry `none` counts by its `evidence`; name there what was looked at."


def _retired(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    if not output["sunset"]:
        yield "sunset: it is empty; give an entry with the id `none` that says what was looked at."


def _decided(output: Json, ids: Ids, request: AgentRequest) -> Iterator[str]:
    if ("choice" in output) == ("escalate" in output):
        yield "Give either `choice` or `escalate`, and null for the other."
    elif "choice" in output and not output["reason"].strip():
        yield "reason: it is empty; a choice is on the record with its reason."


Check = Callable[[Json, Ids, AgentRequest], Iterator[str]]

_ALWAYS: Mapping[str, Check] = {"problem-framer": _framed}
_WHOLE: Mapping[str, Check] = {
    "decomposer": _cut,
    "estimator": _estimated,
    "dependency-mapper": _mapped,
    "mitigation-planner": _mitigated,
    "backlog-curator": _curated,
    "migration-author": _migrated,
    "doc-toucher": _documented,
    "insight-synthesizer": _understood,
    "refactor-proposer": _proposed,
    "sunset-planner": _retired,
    **dict.fromkeys(("technical", "strategy", "ux", "gtm"), _decided),
}
"""Asked of an answer that calls itself whole."""


def completed(role: str, output: Json, request: AgentRequest) -> Json:
    """The output with what a model has no say in: the requester's and people's words, and what is reckoned."""
    return _OURS[role](output, request) if role in _OURS else output


def _triaged(output: Json, request: AgentRequest) -> Json:
    """The type selects which rules of the gates apply, so no reader of the request may change it."""
    answers, own = answers_of(request), dict(output["classification"])
    for given in (request.input_artifact.get("type"), as_text(answers.get("type")).strip().lower()):
        own["type"] = given if given in subjects.TYPES else own["type"]
    level = as_text(answers.get("complexity")).strip().lower()
    own["complexity"] = level if level in subjects.COMPLEXITIES else own["complexity"]
    own["domain"] = brief(as_text(answers.get("domain")).strip().lower(), 40) or own["domain"]
    return {**output, "classification": own}


def _reckoned(output: Json, request: AgentRequest) -> Json:
    answers = answers_of(request)
    said = {name: text for name in SIX if (text := brief(as_text(answers.get(name))))}
    scores = {**output["six_w"], **dict.fromkeys(said, 1.0)}
    stated = output["stated"]
    return {
        **output,
        "problem": brief(as_text(answers.get("problem"))) or output["problem"],
        "six_w": scores,
        "six_w_evidence": {**output["six_w_evidence"], **{name: f"answered: {text}" for name, text in said.items()}},
        "confidence": _mean(scores.values()),
        "stated": {**stated, "tasks_found": max(stated["tasks_found"], len(stated["tasks"]))},
    }


def _mean(scores: Iterable[float]) -> float:
    """To two places, never rounded up over a gate's line."""
    return int(sum(scores) / len(SIX) * 100 + 1e-9) / 100


def _with_persons_tasks(output: Json, request: AgentRequest) -> Json:
    """What a person said about a task beyond its title goes on to the estimator and the mapper as that person's."""
    said = {entry["id"]: entry for entry in answered(answers_of(request).get("tasks"), "T", textless=True)}
    return {**output, "tasks": [{**task, **_stated(said.get(task["id"], {}))} for task in output["tasks"]]}


def _stated(entry: Json) -> Json:
    hours, others = hours_of(entry.get("estimate_hours")), entry.get("depends_on")
    told: Json = {} if hours is None else {"estimate_hours": hours}
    return {**told, "depends_on": [as_text(o).strip() for o in others]} if isinstance(others, list) else told


def _answered_hours(request: AgentRequest) -> dict[str, float]:
    pairs = answered_pairs(answers_of(request).get("estimates"), "T", ("hours", "estimate_hours", "estimate"))
    return {task: hours for task, figure in pairs if task and (hours := hours_of(figure)) is not None}


def _with_persons_hours(output: Json, request: AgentRequest) -> Json:
    known = {entry.get("id") for entry in result_of(request, "decomposer").get("tasks") or ()}
    given = {task: hours for task, hours in _answered_hours(request).items() if task in known}
    said = {task: words for task, words in output["basis"].items() if words.strip()}
    return {
        "estimates": {**{task: hours for task, hours in output["estimates"].items() if hours}, **given},
        "basis": {**said, **dict.fromkeys(given, "answered")},
    }


def _without_blanks(output: Json, request: AgentRequest) -> Json:
    waits = {task: others for task, others in output["depends_on"].items() if others}
    return {
        **output,
        "depends_on": waits,
        "reasons": {task: words for task, words in output["reasons"].items() if task in waits},
    }


def _without_zeros(output: Json, request: AgentRequest) -> Json:
    tasks = [
        {key: value for key, value in task.items() if key != "estimate_hours" or value} for task in output["tasks"]
    ]
    return {**output, "tasks": tasks}


def _waived_migration(output: Json, request: AgentRequest) -> Json:
    word = _waiver(request, "migrations")
    if not word or not output["schema_changed"] or output["created"]:
        return output
    return {**output, "schema_changed": False, "waived": word}


def _waived_docs(output: Json, request: AgentRequest) -> Json:
    word = _waiver(request, "docs")
    return {**output, "updated": True, "waived": word} if word and not output["updated"] else output


def _waiver(request: AgentRequest, key: str) -> str:
    """The gate lets a waiver stand in for the work, so it is only ever made of a person's own answer."""
    given = answers_of(request).get(key)
    if isinstance(given, Mapping):
        given = given.get("reason") or given.get("text") or given.get("evidence")
    word = one_line(given, _WAIVER_CHARACTERS) if isinstance(given, str) else ""
    return f"human: {word}" if word else ""


_OURS: Mapping[str, Callable[[Json, AgentRequest], Json]] = {
    "intent-triage": _triaged,
    "problem-framer": _reckoned,
    "decomposer": _with_persons_tasks,
    "estimator": _with_persons_hours,
    "dependency-mapper": _without_blanks,
    "backlog-curator": _without_zeros,
    "migration-author": _waived_migration,
    "doc-toucher": _waived_docs,
}
