"""The way out of the house: one notice to one channel, through Apprise, in a process of its own with a time limit.

What comes back is a word of a list and a number; what is said of a failure is made here from those two alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.contract import Json, UsageError
from core.governance.notices.channels import Channel
from core.projects.commands import Limits, run

PROGRAM = Path(__file__).with_name("handover.py")
SEND_SECONDS = 25.0
"""How long a send may take. It is less than the shortest span between two tries, which a claim holds a notice for."""
MOST_OUTPUT = 64_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a send ended. `why` says what went wrong, in a sentence without a letter of the URL; "" where it went well.

    A failure that is `final` would be the same at every further try; one that `hung` came of waiting.
    """

    why: str = ""
    final: bool = False
    hung: bool = False

    @property
    def is_sent(self) -> bool:
        return not self.why


SENT = Outcome()

_FAILURES: Mapping[str, tuple[str, bool]] = {
    "url": ("Apprise cannot read the channel's URL", True),
    "auth": ("the server refuses the sign-in", True),
    "gone": ("the server knows no such address", True),
    "status": ("the server refused it", False),
    "tls": ("no safe connection to the server comes about", False),
    "silent": ("the server does not answer", False),
    "unreachable": ("the server cannot be reached", False),
    "unknown": ("Apprise could not send it", False),
}
"""What the program's words mean, and whether trying again is pointless."""

# What chat services take for a call to everybody, or for a link with another text, where somebody wrote it into a
# question. What looks like a mail address stays one.
_CALL = re.compile(
    r"@(?=(?:everyone|here|channel|all|room)\b|_?\*\*)(?!(?<=\w@)\w+\.\w)|<(?=[!@#]|(?:https?|mailto):)|\](?=\()",
    re.IGNORECASE,
)


def defused(text: str) -> str:
    """The text with nothing in it that a chat service would act upon."""
    return _CALL.sub(lambda match: f"{match[0]} ", text)


async def send(channel: Channel, subject: str, body: str, environment: Mapping[str, str]) -> Outcome:
    """Hand a notice to a channel. Raises nothing for a channel that fails."""
    return await _hand_over(channel, environment, {"subject": defused(subject), "body": defused(body)})


async def look_at(channel: Channel, environment: Mapping[str, str]) -> Outcome:
    """Whether Apprise knows what the channel's URL means. Nothing is sent."""
    return await _hand_over(channel, environment, {})


async def _hand_over(channel: Channel, environment: Mapping[str, str], message: Json) -> Outcome:
    try:
        task = {"url": channel.address(environment), **message}
    except UsageError as error:
        return Outcome(str(error))
    result = await run(
        [sys.executable, "-P", str(PROGRAM)],
        cwd=PROGRAM.parent,
        limits=Limits(SEND_SECONDS, MOST_OUTPUT),
        stdin=json.dumps(task).encode("utf-8", "replace"),
    )
    if result.timed_out:
        return Outcome(f"the server does not answer within {SEND_SECONDS:g} seconds", hung=True)
    answer = _answer(result.stdout)
    code = answer.get("code")
    if code in ("sent", "known"):
        return SENT
    why, final = _FAILURES.get(str(code), (f"the program that sends ended with {result.exit_code}", False))
    status = answer.get("status")
    return Outcome(f"{why} ({status})" if isinstance(status, int) else why, final, hung=code == "silent")


def _answer(output: str) -> dict[str, Any]:
    """The program's answer: the last line. A library may have printed something before."""
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
