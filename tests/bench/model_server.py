"""A server of the Messages protocol in a process of its own: every request gets the same streamed answer at once.

Prints its port. Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys

from core.contract import Json
from tests.models.scripted_server import Reply, scripted, text
from tests.models.team import OUTPUTS

ROLE = "ac-writer"
ANSWER: Json = {"status": "SUCCESS", "output": OUTPUTS[ROLE], "missing": [], "suggestion": "", "decisions": []}


def says(_: Json) -> Reply:
    return [text(json.dumps(ANSWER))]


async def main() -> None:
    async with scripted(says=says) as server:
        print(server.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
