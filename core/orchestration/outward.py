"""What the release of a work item has done outside: it stays there, whatever becomes of the work item."""

from __future__ import annotations

from dataclasses import replace

from core.contract import Json, Status
from core.governance.escalations import Option, Question
from core.orchestration.journal import read_journal
from core.sanitise import one_line
from core.store.reads import Connection

DEPLOYS = "deploy-orchestrator"
_BEGUN_SQL = 'SELECT 1 FROM "intents" WHERE "work_item" = ? AND "agent" = ? LIMIT 1'
_DEPLOYED = {
    "success": "it is deployed",
    "failed": "its deploy command has failed",
    "unknown": "nobody knows whether it is deployed",
}
"""By the status of a deployment that came after the merge. Others have moved nothing."""


def held_outside(reader: Connection, work_item: int) -> str:
    """What the target, its tags and the deployment have of a work item, in a sentence; empty where that is nothing."""
    if not reader.sql(_BEGUN_SQL, (work_item, DEPLOYS)):
        return ""
    recorded = read_journal(reader, work_item)
    answers = sorted((e for e in recorded.of_phase("O1") if e.key.agent == DEPLOYS), key=lambda e: e.number)
    for entry in reversed(answers):
        output = entry.response.output_artifact
        deployment: Json = output.get("deployment") or {}
        if deployment.get("status") in _DEPLOYED:
            target, tag = (one_line(str(value or ""), 100) for value in (deployment.get("target"), output.get("tag")))
            holds = f"{target} holds its release{f', tagged {tag}' if tag else ''}"
            return f"{holds}, and {_DEPLOYED[deployment['status']]}; nothing of that is taken back."
    is_cut_short = any(key.agent == DEPLOYS and recorded.get(key) is None for key in recorded.intended)
    if is_cut_short or any(e.response.status is Status.FAILURE and not e.response.output_artifact for e in answers):
        return "Its release was begun and cut short: look at the target branch; nothing of it is taken back."
    return ""


def telling(reader: Connection, question: Question) -> Question:
    """The question, saying of each option that ends the work item what stays outside all the same."""
    held = "" if question.work_item is None else held_outside(reader, question.work_item)
    return replace(question, options=tuple(_with(option, held) for option in question.options)) if held else question


def _with(option: Option, held: str) -> Option:
    return replace(option, consequence=f"{option.consequence} {held}") if option.ends else option
