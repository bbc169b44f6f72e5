"""What Claude Code is told, and what a person is asked on its behalf."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.contract import AgentRequest, Json
from core.runtimes.base import Ask
from core.runtimes.claude_code.gate import FOR_DELEGATION, ONCE, REFUSE, STOP
from core.runtimes.models.material import MARKS, Clean, request_told
from core.sanitise import one_line, sanitise, visible
from core.store.rows import AgentRow

TOOLS: Mapping[str, tuple[str, ...]] = {
    "read": ("Read",),
    "search": ("Grep", "Glob"),
    "edit": ("Edit",),
    "write": ("Write",),
    "run": ("Bash",),
    "fetch": ("WebFetch", "WebSearch"),
}
"""Claude Code's words for apm's tools. Nobody delegates from here: who works on what is the engine's to say."""

GO_ON = (
    "apm was interrupted and has started you again. See what is done already, then finish the task; end with the JSON "
    "object that you were asked for."
)
_ENDING = "Do this task in the worktree, and end with the JSON object that your rules name."
_LEFT_OUT = ("human", "journal")
_HEAVY = 8
_OUR_MODELS = re.compile(r"claude-[a-z0-9.-]+(\[1m\])?|sonnet|opus|haiku|fable")

_HOW = """
## How you work here
You are in a git worktree of one work item, on its own branch. Work inside of it, on the task that you are handed and
nothing else. Calls that authority does not allow wait for a person, so make one such call at a time and say in its
description why it is needed. A refused call stays refused: find another way or say what is missing.
apm commits what you leave uncommitted; commit yourself only where several commits tell the change better.

## How you are asked
MARKS
## How you end
End with one JSON object and nothing after it:
{"summary": "<what you changed, in a sentence or two>", "verifies": {"<id of a criterion>": ["<test that proves it>"]}}
"""


def tools_of(agent: AgentRow) -> tuple[str, ...]:
    return tuple(word for tool, words in TOOLS.items() if tool in agent.tools for word in words)


def model_of(agent: AgentRow) -> str | None:
    """The agent's model, where it is one that Claude Code knows."""
    return agent.model if agent.model and _OUR_MODELS.fullmatch(agent.model) else None


def definition(agent: AgentRow) -> Json:
    """The agent as Claude Code takes it: what its generated file says, and how one works for apm."""
    how = _HOW.replace("MARKS", MARKS)
    return {
        "description": one_line(agent.description, 1_000) or agent.role,
        "prompt": sanitise(agent.sop_content or "", limit=200_000) + "\n" + how,
        "tools": list(tools_of(agent)),
        "model": model_of(agent) or "inherit",
    }


def prompt(request: AgentRequest, hidden: Iterable[object], clean: Clean) -> str:
    """The request as Claude Code reads it. What a person said of one of its calls is the gate's to tell."""
    return request_told(request, _ENDING, hidden=hidden, left_out=_LEFT_OUT, clean=clean)


def question(agent: AgentRow, waiting: Json, worktree: Path, session: str) -> Ask:
    """What a person sees of a call that waits for them: what, where, why and how grave it is."""
    given, tool = waiting["input"], str(waiting["tool"])
    command = str(given.get("command") or json.dumps(given, ensure_ascii=False))
    shown = one_line(visible(command) if tool == "Bash" else f"{tool} {waiting['what']}", 300)
    return Ask(
        question=f"{agent.role} wants to run this in {waiting['cwd']}: {shown}",
        options=(
            {"key": ONCE, "label": "Allow it once", "consequence": "Exactly this runs; asked again, it waits again."},
            {
                "key": FOR_DELEGATION,
                "label": "Allow it for this delegation",
                "consequence": "Exactly this runs as often as the agent wants while it does this task.",
            },
            {"key": REFUSE, "label": "Refuse it", "consequence": "The agent hears your reason and goes on without it."},
            {"key": STOP, "label": "Stop this work item", "consequence": "It is cancelled.", "ends": True},
        ),
        # What cannot be taken back, or leaves the house, is allowed by a deliberate choice and not by a habit.
        recommended=REFUSE if int(waiting["impact"]) >= _HEAVY else ONCE,
        details={
            "permission": True,
            "tool": tool,
            "command": command,
            "folder": str(waiting["cwd"]),
            "worktree": str(worktree),
            "reason": one_line(str(given.get("description") or "The agent gave no reason."), 500),
            "decision": str(waiting["kind"]),
            "impact": int(waiting["impact"]),
            "rule": str(waiting["rule"]),
            "session": session,
            "tool_use_id": str(waiting["tool_use_id"]),
            "about": str(waiting["about"]),
        },
    )


def output_of(text: str) -> tuple[str, dict[str, list[str]]]:
    """(summary, verifies) from the last JSON object of an answer; the answer itself is the summary without one."""
    decoder, found = json.JSONDecoder(), {}
    for match in reversed(list(re.finditer(r"\{", text))[-200:]):
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and "summary" in value:
            found = value
            break
    summary = one_line(str(found.get("summary") or text or "It gave no summary."), 400)
    verifies = found.get("verifies")
    pairs = verifies.items() if isinstance(verifies, dict) else ()
    return summary, {one_line(str(k)): [one_line(str(t)) for t in v] for k, v in pairs if isinstance(v, list)}
