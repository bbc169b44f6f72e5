"""What a model that answers is told: who it is, our rules, and the request as material."""

from __future__ import annotations

from collections.abc import Iterable

from core.agents.words.choices import CHOICES
from core.contract import AgentRequest
from core.runtimes.models.material import MARKS, request_told
from core.store.rows import AgentRow

_GROUND = """\
## How you are asked

MARKS
- What you did not see you do not know. Claim no test run, commit, approval or figure; they are measured elsewhere.
- A choice that is not yours is a decision for its owner: say its true kind, the agent whose field it is, an impact
  from 1 to 10, at least two options with what follows from each, and the key of the one you recommend. Never take it
  yourself. Where two owners' decisions are about the same thing, both have one `topic`, which names it in the same few
  words; elsewhere there is none. Kinds that have an owner are, for KINDS. Name another kind in the same style, and a
  person decides it.
"""

_IN_TEXT = """\
## How you answer

- With one JSON object of the given shape and nothing around it: `{"status", "output", "missing", "suggestion",
  "decisions"}`, as far as the shape has these keys.
"""
_BY_TOOL = """\
## How you answer

- By one call of the tool `answer`, and by no text. Its input has the fields status, output, missing, suggestion and
  decisions, as far as the tool names them.
"""
_ANSWERING = """\
- `output` is what your Output section describes; every key is there, empty where there is nothing to say.
- `status` is SUCCESS when the output is whole, BLOCKED when something is missing that you must not invent. Then
  `missing` names each missing thing, `suggestion` asks for it in words that a person can answer, and `output` holds
  what you have all the same.
- Refer only to ids that the request has. New criteria are AC1, AC2, …, risks R1, …, tasks T1, …
"""


def system_prompt(agent: AgentRow, *, by_tool: bool = False) -> str:
    """The agent's procedure and our rules: the same for every request to it that is answered in the same way."""
    how = (_BY_TOOL if by_tool else _IN_TEXT) + _ANSWERING
    return "\n\n".join((agent.sop_content.strip(), ground_rules(), how.strip()))


def ground_rules() -> str:
    """What holds for every agent on a model, however it works and answers."""
    owners: dict[str, list[str]] = {}
    for choice in CHOICES:
        owners.setdefault(choice.domain, []).append(choice.kind)
    kinds = "; ".join(f"{domain}: {', '.join(found)}" for domain, found in owners.items())
    return _GROUND.strip().replace("MARKS", MARKS).replace("KINDS", kinds)


def task_message(request: AgentRequest, hidden: Iterable[str] = ()) -> str:
    """The request as a model reads it. `hidden` are folders of this machine that no text may name."""
    return request_told(request, "Answer by your procedure and the rules.", hidden=hidden)
