"""The questions that the phases put to a human: what is missing, what was measured, what to do, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from core.contract import AgentResponse, Json
from core.governance.escalations import Option, Question
from core.orchestration.master import MASTER
from core.phases import PhaseSpec
from core.runtimes.base import Ask
from core.sanitise import one_line, visible

SUPPLY = "supply"
RETRY = "retry"
STOP = "stop"
WITHOUT = "without"

ASKED_FOR: Mapping[str, Mapping[str, str]] = {
    "business_context": {"business_context": "text"},
    "acceptance_criteria": {"acceptance_criteria": "lines"},
    "risks": {"risks": "lines"},
    "six_w_confidence": dict.fromkeys(("who", "what", "when", "where", "why", "how"), "text"),
    "tasks_cover_criteria": {"tasks": "tasks"},
    "estimates": {"estimates": "numbers", "tasks": "tasks"},
    "dependencies": {"depends_on": "lists"},
    "mitigations": {"mitigations": "map"},
    "docs": {"docs": "text"},
    "migrations": {"migrations": "text"},
    "criteria_verified": {"criteria": "map"},
    "version_bumped": {"version": "text"},
    "deployment": {"deployment": "text"},
    "improvements": {"improvements": "lines"},
    "backlog": {"improvements": "lines", "sunset": "lines"},
}
"""Which values, in which shape, would mend a criterion that did not pass. The others are mended in the world."""

EXACT = ("command", "folder")
"""What a permission is for: shown with what is otherwise taken out of a text, since it would run with it."""

ATTESTED = frozenset({"criteria", "docs", "migrations"})
"""Values by which a person vouches for what stands on the branch: they hold for the commit that was judged."""

WAIVED = frozenset({"docs", "migrations"})
"""Values that are no more than a person's word why something need not be done."""

_CANCEL = Option(STOP, "Stop this work item", "It is cancelled; its branch is kept.", ends=True)
_GIVE_UP = Option(STOP, "Stop this work item", "It ends as failed; its branch is kept.", ends=True, fails=True)
"""What was tried and did not succeed has failed. Before that it was a request, and after its release it is done."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A gate that was not passed: its verdict, what that is bound to, and what the agents found or could not find."""

    verdict: Json
    judged: Json
    findings: tuple[str, ...]
    blocked: Mapping[str, AgentResponse]
    unsettled: Mapping[str, Mapping[str, str]]
    """The ids that values of the answer are about, each in its own words."""
    place: Json
    """The branch and the worktree where it is mended; {} where no code can mend it."""


def gate_question(phase: PhaseSpec, work_item: int, round_: int, missed: Missed) -> Question:
    """One question for a gate that did not pass, with everything that is missing in it."""
    verdict, commit = missed.verdict, missed.judged.get("commit")
    failing = [c for c in verdict["criteria"] if not c["passed"]]
    asks = {key: shape for c in failing for key, shape in ASKED_FOR.get(c["name"], {}).items()}
    names = {key: missed.unsettled[key] for key in asks if key in missed.unsettled}
    retry = Option(
        RETRY, "Try again", "The phase runs again from where it stood; what is recorded and unaffected is kept."
    )
    stop = _GIVE_UP if phase.code in ("I1", "R1", "O1") else _CANCEL
    options: tuple[Option, ...] = (retry, stop)
    notes = {role: _note(response) for role, response in missed.blocked.items()}
    advice = verdict["suggested_action"]
    if asks:
        label, consequence = "Supply what is missing", "The phase goes on with what you give it."
        waives = asks.keys() <= WAIVED
        if waives:
            label, consequence = (
                "Say why it is not needed",
                "Your word stands in its place, and on the record as yours.",
            )
        supply = Option(SUPPLY, label, consequence, asks=asks, names=names, explains=waives)
        # What is mended in the world, or on the branch, is mended there rather than by a word of ours.
        options = (retry, supply, stop) if phase.code == "O1" or waives else (supply, *options)
    if phase.code == "O1":
        advice = next((note["suggestion"] for note in notes.values() if note.get("suggestion")), advice)
    return Question(
        kind="gate",
        subject={"phase": phase.code, "round": round_},
        question=one_line(
            f"{phase.code} {phase.title}: {len(failing)} of {len(verdict['criteria'])} criteria of its gate "
            f"{'is' if len(failing) == 1 else 'are'} not met. {advice}",
            500,
        ),
        urgency="DAILY",
        options=options,
        recommended=options[0].key,
        chain=(MASTER, phase.orchestrator, phase.gate_agent),
        work_item=work_item,
        phase=phase.code,
        round=round_,
        blocks=phase.code,
        missing=tuple(one_line(m, 300) for m in verdict["missing"]),
        details={
            "criteria": verdict["criteria"],
            "suggested_action": verdict["suggested_action"],
            "findings": list(missed.findings),
            "agents": {role: note for role, note in notes.items() if note},
            **({"commit": commit} if commit else {}),
            **missed.place,
        },
    )


def _note(response: AgentResponse) -> Json:
    found: Json = {}
    if response.metadata.get("suggestion"):
        found["suggestion"] = one_line(str(response.metadata["suggestion"]), 500)
    if response.metadata.get("error"):
        found["error"] = one_line(str(response.metadata["error"]), 500)
    if response.missing:
        found["missing"] = [one_line(str(m), 300) for m in response.missing[:50]]
    return found


def error_question(
    phase: PhaseSpec,
    work_item: int,
    round_: int,
    failures: Sequence[tuple[str, str, AgentResponse]],
    instead: Mapping[str, str] = MappingProxyType({}),
) -> Question:
    """One question for the agents of a phase that failed, as `(role, subject, response)`.

    `instead` says, of those that failed on a model, which runtime would do their work without one.
    """
    role, subject, first = failures[0]
    error = one_line(str(first.metadata.get("error", "it gave no reason")), 300)
    named = f"{role}{f' ({subject})' if subject else ''}"
    others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    suggestion = one_line(str(first.metadata.get("suggestion", "")), 300)
    return Question(
        kind="error",
        subject={"phase": phase.code, "round": round_, "agents": sorted(r for r, _, _ in failures)},
        question=f"{phase.code}: {named} failed{others}: {error}",
        urgency="DAILY",
        options=(
            Option(RETRY, "Try again", "The failed step runs again; what is recorded is kept."),
            *([_without(instead)] if instead else []),
            _CANCEL if phase.code == "E1" else _GIVE_UP,
        ),
        recommended=RETRY,
        chain=(MASTER, phase.orchestrator) if role == phase.orchestrator else (MASTER, phase.orchestrator, role),
        work_item=work_item,
        phase=phase.code,
        round=round_,
        blocks=phase.code,
        missing=tuple(one_line(str(m), 300) for _, _, r in failures for m in r.missing),
        details={
            "phase": phase.code,
            "blocker": error,
            "required_action": suggestion or "Mend the cause, then try again.",
            "details": [{"agent": r, "subject": s, **_note(found)} for r, s, found in failures],
            **({"instead": dict(instead)} if instead else {}),
        },
    )


def _without(instead: Mapping[str, str]) -> Option:
    by_rules = [role for role, runtime in instead.items() if runtime != "human"]
    by_people = [role for role, runtime in instead.items() if runtime == "human"]
    who = [f"apm's own rules do the work of {' and '.join(by_rules)}"] if by_rules else []
    who += [f"you are asked for the work of {' and '.join(by_people)}"] if by_people else []
    what = " and ".join(who)
    return Option(WITHOUT, "Go on without the model", f"In this work item {what}; all else is as it was.")


def delegation_question(phase: PhaseSpec, work_item: int, round_: int, role: str, subject: str, ask: Ask) -> Question:
    """The question that a parked delegation waits for. What a person is to permit shows to its last character."""
    is_permission = bool(ask.details.get("permission"))
    exact = {key: visible(str(ask.details[key])) for key in EXACT if is_permission and key in ask.details}
    return Question(
        kind="permission" if is_permission else "gate",
        subject={"phase": phase.code, "round": round_, "agent": role, "subject": subject},
        question=one_line(visible(ask.question) if is_permission else ask.question, 500),
        urgency="DAILY",
        options=tuple(
            Option(o["key"], o["label"], o["consequence"], o.get("asks", {}), bool(o.get("ends")), o.get("names", {}))
            for o in ask.options
        ),
        recommended=ask.recommended,
        chain=(MASTER, phase.orchestrator, role),
        work_item=work_item,
        phase=phase.code,
        round=round_,
        blocks=subject or phase.code,
        missing=ask.missing,
        details={**ask.details, **exact, "agent": role, "subject": subject},
    )
