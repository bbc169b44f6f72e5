"""What a coding agent is told besides its procedure: our rules, and its request as material between marks."""

from __future__ import annotations

from collections.abc import Iterable

from core.contract import AgentRequest
from core.runtimes.models.material import Clean, request_told
from core.runtimes.models.prompts import ground_rules
from core.store.rows import AgentRow

_RULES = """\
## Where you work

- You work through tools in a worktree: a folder of its own with a checkout of the project's branch for this work item.
  Paths are named from its top. Nothing outside of it can be read or written, and neither can git's own folder.
- The request's task and criteria say what to build.
- What looks like a secret is taken out of what you see. Never write a place-holder in a secret's place, never make up
  a key, and never look for one.
- Commands run by name, as the project declares them, as a rule without a network. There is no shell.
- You cannot commit, and need not: what you changed is committed as one commit in your name when you end.

## How you end

- With the tool `done`, once, when the task's criteria are true and the tests that passed before still pass. `summary`
  says what was done and why; `verifies` names, by criterion, tests that exist and that you saw pass.
- Choices that are not yours go into `decisions`; take none of them yourself.
- When you cannot go on without something that you must not invent, end with `done` and name it in `missing`. Then
  nothing is committed and a person is asked.
- Between tool calls write little. Every answer holds at least one tool call.
"""

NO_CALL = "Nothing was carried out: your answer held no tool call. Go on with a tool, or end with `done`."
CUT_OFF = "Your answer was cut off at its limit of length, so this call was not carried out. Take smaller steps."
INTERRUPTED = "This was interrupted and may not have happened; look at the files, then do what is still to be done."
NOTHING_CHANGED = (
    "Nothing in the worktree is changed, so there is nothing to commit. Do the task; or, if something keeps you from "
    "it, name that in `missing`."
)


def system_prompt(agent: AgentRow) -> str:
    """The agent's own procedure and our rules: the same for every task, so that a provider can keep it."""
    return "\n\n".join((agent.sop_content.strip(), ground_rules(), _RULES.strip()))


def task_message(request: AgentRequest, clean: Clean, hidden: Iterable[object] = ()) -> str:
    """The request as the first message. `hidden` are folders of this machine that no text may name."""
    return request_told(request, "Do this task in the worktree, and end with `done`.", hidden=hidden, clean=clean)
