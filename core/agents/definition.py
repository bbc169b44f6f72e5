"""The agents of D1, without its gate check: what a request says, taken from its own words and from the repository.

None of them composes: what they return is quoted or counted, and what a request does not say they ask for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from core.agents.bench import Bench
from core.agents.given import answers_of, result_of
from core.agents.words import narrative, subjects
from core.agents.words.conditions import WANTED, stated
from core.agents.words.dangers import LEVELS, read_danger, risks
from core.agents.words.document import Said
from core.agents.words.mentions import mentions
from core.agents.words.numbering import answered, distinct, split_label
from core.agents.words.request import RawRequest, read_request
from core.agents.words.six_w import ENOUGH, QUESTIONS, Reading, Score, confidence, six_w
from core.agents.words.steps import listed_tasks
from core.agents.words.text import as_text, brief
from core.contract import AgentRequest, AgentResponse, Json, blocked, succeeded
from core.placeholders import is_placeholder
from core.projects import git
from core.sanitise import one_line

CONTEXT_CHARACTERS = 50
"""Of business context; what D1's gate asks for by default."""
CRITERIA_LIMIT = 200
RISKS_LIMIT = 100
"""More is not one work item, and no one could say which of them count but its author."""
TASKS_LIMIT = 200
RECENT_COMMITS = 5
UNREAD_CHARACTERS = 200
UNREAD = (
    'The rules that work without a model read English, with headings such as "Acceptance criteria" and "Risks", and '
    "found neither, and no context, in the {count:,} characters of this request: fill it in here, or set a model."
)
"""Of a body that is too long to be no more than thin, and of which they took nothing."""
LONG_BODY = 50_000
"""Characters from which a body is read beside the event loop; below, a thread costs more than the reading."""


async def intent_triage(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The kind of work, its domain and its complexity; BLOCKED when neither the type nor a word tells the kind."""
    return await _beside_the_loop(_triage, request)


async def context_assembler(request: AgentRequest, bench: Bench) -> AgentResponse:
    """What the project is, and which of its files the request's words point to; empty lists without a project."""
    project, tree = request.context.get("project") or {}, bench.worktree
    tech = project.get("tech") or {}
    output: Json = {
        "languages": list(tech.get("languages") or ()),
        "frameworks": list(tech.get("frameworks") or ()),
        "version": "",
        "files": [],
        "docs": [one_line(path, 500) for path in tech.get("docs") or () if isinstance(path, str)],
        "recent_commits": [],
    }
    if tree is None:
        return succeeded("context-assembler", {**output, "reason": "The work item has no project, so no files."})
    from core.agents.surroundings import pointed_files

    raw = read_request(request.input_artifact)
    named = await asyncio.to_thread(lambda: mentions(raw.title, raw.document))
    found, commits = await asyncio.gather(pointed_files(tree, named), git.commits(tree, "", limit=RECENT_COMMITS))
    return succeeded(
        "context-assembler",
        {
            **output,
            "version": await asyncio.to_thread(_version, tree, tech),
            "files": [pointed.to_json() for pointed in found],
            "recent_commits": [{"sha": commit.sha, "subject": one_line(commit.subject)} for commit in commits],
        },
        tool="git",
    )


async def problem_framer(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The problem in the request's words and the six W; BLOCKED with a question for each W that is too weak.

    Its `stated` carries on what P1 needs and `workitem.ready` has no key for: tasks and approach as the request has
    them.
    """
    return await _beside_the_loop(_frame, request)


async def value_articulator(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The circumstances and the value as the request tells them; BLOCKED under CONTEXT_CHARACTERS of context."""
    return await _beside_the_loop(_value, request)


async def risk_notary(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The risks that the request names, those that facts about the repository show, and those a human added."""
    computed: list[Json] = []
    if bench.worktree is not None:
        from core.agents.surroundings import computed_risks, measured

        tech = (request.context.get("project") or {}).get("tech") or {}
        files = result_of(request, "context-assembler").get("files") or ()
        computed = computed_risks(await measured(bench.worktree, tech, files))
    return await _beside_the_loop(lambda asked: _risks(asked, computed), request)


async def ac_writer(request: AgentRequest, bench: Bench) -> AgentResponse:
    """The conditions that someone can check; BLOCKED under WANTED of them, and over CRITERIA_LIMIT."""
    return await _beside_the_loop(_criteria, request)


def _triage(request: AgentRequest) -> AgentResponse:
    raw, answers = read_request(request.input_artifact), answers_of(request)
    text = subjects.prose(raw.document)
    kind, kind_reason = _kind(raw, as_text(answers.get("type")).strip().lower(), text)
    title = " ".join((raw.title, *raw.tags))
    domain, domain_words = subjects.domain_of(title, text)
    level, facts = subjects.complexity_of(title, text, len(raw.conditions), raw.impact)
    domain_reason = f"{domain}: {domain_words}" if domain_words else "general: no domain's words stand out"
    if given := as_text(answers.get("domain")).strip().lower():
        domain, domain_reason = brief(given, 40), f"{brief(given, 40)}: answered"
    answered_level = as_text(answers.get("complexity")).strip().lower()
    if answered_level in subjects.COMPLEXITIES:
        level, facts = answered_level, ["answered"]
    output: Json = {
        "classification": {"type": kind, "domain": domain, "complexity": level},
        "reasons": [kind_reason, domain_reason, f"{level}: {'; '.join(facts)}"],
    }
    if kind:
        return succeeded("intent-triage", output)
    choices = ", ".join(subjects.TYPES)
    return blocked("intent-triage", output, [f"type: {kind_reason}"], f"Which type of work is this: {choices}?")


def _kind(raw: RawRequest, answer: str, text: str) -> tuple[str, str]:
    for given, source in ((answer, "answered"), (raw.type, "the request's own type")):
        if given in subjects.TYPES:
            return given, f"{given}: {source}"
    if subjects.has_traceback(raw.document):
        return "bug", "bug: a traceback"
    kind, found = subjects.type_of(raw.title, text)
    return kind, f"{kind}: {found}" if kind else "none given, and no word of the request tells it"


def _version(tree: Path, tech: Json) -> str:
    """The version that the project's file states; "" when it states none or cannot be read (the versioner says so)."""
    from core.agents.versions import VersionError, read_place

    place = tech.get("version_file")
    if not isinstance(place, dict) or not place.get("path"):
        return ""
    try:
        found = read_place(tree, place["path"], place.get("kind", ""))
    except (VersionError, OSError):
        return ""
    return one_line(found.value) if found else ""


def _frame(request: AgentRequest) -> AgentResponse:
    raw, answers = read_request(request.input_artifact), answers_of(request)
    document = raw.document
    classified = result_of(request, "intent-triage").get("classification") or {}
    scores = six_w(Reading.of(raw.title, document, classified.get("domain", ""), raw.conditions))
    for name in scores:
        if answer := brief(_words(answers, name)):
            scores[name] = Score(1.0, f"answered: {answer}")
    mean = confidence(scores)
    ways = (_words(answers, "how"), narrative.approach(document))
    tasks = listed_tasks(document, classified.get("type") or raw.type)
    output: Json = {
        "problem": brief(_words(answers, "problem")) or narrative.problem(document, raw.title),
        "six_w": {name: score.score for name, score in scores.items()},
        "six_w_evidence": {name: score.evidence for name, score in scores.items()},
        "confidence": mean,
        "stated": {
            "tasks": [asdict(task) for task in tasks[:TASKS_LIMIT]],
            "tasks_found": len(tasks),
            "approach": narrative.joined_until(ways, narrative.NARRATIVE_CHARACTERS),
        },
    }
    if mean >= ENOUGH:
        return succeeded("problem-framer", output)
    weak = [name for name, score in scores.items() if score.score <= 0.5]
    missing = [f"{name}: {'found only ' + scores[name].evidence if scores[name].evidence else 'nothing found'}"
               for name in weak]  # fmt: skip
    return blocked("problem-framer", output, missing, " ".join(QUESTIONS[name] for name in weak))


def _words(answers: Json, name: str) -> str:
    """What a person has answered; "" for words that only hold its place."""
    text = as_text(answers.get(name))
    return "" if is_placeholder(text) else text


def _value(request: AgentRequest) -> AgentResponse:
    raw, answers = read_request(request.input_artifact), answers_of(request)
    document, body = raw.document, raw.body.strip()
    sources = chain([_words(answers, "business_context")], narrative.circumstances(document))
    context = narrative.joined_until(sources, CONTEXT_CHARACTERS)
    value = brief(_words(answers, "value"), narrative.NARRATIVE_CHARACTERS) or narrative.value(document)
    output: Json = {"value": value, "business_context": context}
    if len(context) >= CONTEXT_CHARACTERS:
        return succeeded("value-articulator", output)
    if not context and len(body) >= UNREAD_CHARACTERS and not stated(document) and not risks(document):
        output["unread"] = UNREAD.format(count=len(body))
    return blocked(
        "value-articulator",
        output,
        [f"business_context: found {len(context)} of {CONTEXT_CHARACTERS} characters"],
        "What is the situation today, who runs into it, and what does it cost them? Two sentences are enough.",
    )


def _risks(request: AgentRequest, computed: list[Json]) -> AgentResponse:
    raw = read_request(request.input_artifact)
    named = [
        {"id": d.id, "text": d.text, "severity": d.severity, "mitigation": d.mitigation, "source": f"line {d.line}"}
        for d in risks(raw.document, conditional=raw.type != "bug")
    ]
    measured = [{**risk, "source": "computed from the repository"} for risk in computed]
    answers = [_answered_risk(entry) for entry in answered(answers_of(request).get("risks"), "R")]
    # Numbered before the answers join them: what was shown as R1 stays R1.
    found = distinct([*([] if len(named) > RISKS_LIMIT and answers else named), *measured], "R")
    entries = distinct([*found, *answers], "R")
    kept = entries[:RISKS_LIMIT]
    output: Json = {
        "risks": [{key: entry[key] for key in ("id", "text", "severity", "mitigation")} for entry in kept],
        "sources": {entry["id"]: entry["source"] for entry in kept},
    }
    if len(entries) > RISKS_LIMIT:
        return blocked(
            "risk-notary",
            output,
            [f"risks: found {len(entries)}, at most {RISKS_LIMIT} make one work item"],
            "Split the request, or name the risks that count: your list then replaces the one in the request.",
        )
    if entries:
        return succeeded("risk-notary", output)
    return blocked(
        "risk-notary",
        output,
        ["risks: found 0 of 1"],
        "Name at least 1 thing that could go wrong with this change, how bad it would be (low, medium, high), "
        "and what would limit it.",
    )


def _answered_risk(entry: Json) -> Json:
    read = read_danger(Said(entry["text"], 0))
    severity = LEVELS.get(as_text(entry.get("severity")).strip().lower(), read.severity)
    mitigation = brief(as_text(entry.get("mitigation"))) or read.mitigation
    given = entry["id"] or read.id
    return {"id": given, "text": read.text, "severity": severity, "mitigation": mitigation, "source": "answered"}


def _criteria(request: AgentRequest) -> AgentResponse:
    raw = read_request(request.input_artifact)
    given = answered(answers_of(request).get("acceptance_criteria"), "AC")
    answers = [{**entry, "source": "answered"} for entry in given]
    found = distinct([_criterion(said) for said in raw.conditions], "AC")
    too_many = len(found) > CRITERIA_LIMIT
    if too_many and len(stated(raw.document)) < WANTED:
        # Demands in running text are a reading; those stated as criteria are the author's list, and never cut.
        found, too_many = found[:CRITERIA_LIMIT], False
    entries = distinct([*([] if too_many and answers else found), *answers], "AC")
    output: Json = {
        "acceptance_criteria": [{"id": entry["id"], "text": entry["text"]} for entry in entries[:CRITERIA_LIMIT]],
        "sources": {entry["id"]: entry["source"] for entry in entries[:CRITERIA_LIMIT]},
    }
    if len(entries) > CRITERIA_LIMIT:
        return blocked(
            "ac-writer",
            output,
            [f"acceptance_criteria: found {len(entries)}, at most {CRITERIA_LIMIT} make one work item"],
            "Split the request, or name the conditions that count: your list then replaces the one in the request.",
        )
    if len(entries) >= WANTED:
        return succeeded("ac-writer", output)
    return blocked(
        "ac-writer",
        output,
        [f"acceptance_criteria: found {len(entries)} of {WANTED}"],
        f"Name at least {WANTED} conditions that someone can check when the work is done, a line each; "
        "those that were found are kept.",
    )


def _criterion(said: Said) -> dict[str, Any]:
    given, text = split_label(said.text, "AC")
    return {"id": given, "text": text, "source": f"line {said.line}"}


async def _beside_the_loop(answer: Callable[[AgentRequest], AgentResponse], request: AgentRequest) -> AgentResponse:
    """The answer, from a thread when the body is long: a screen may hang on this event loop."""
    body = request.input_artifact.get("body")
    if isinstance(body, str) and len(body) > LONG_BODY:
        return await asyncio.to_thread(answer, request)
    return answer(request)
