"""The agents that GitHub Copilot's program finds in a folder, as JSON; run by the environment that has its SDK."""

import asyncio
import json
import sys

from copilot import CopilotClient  # type: ignore[import-not-found]
from copilot.client import ChildProcessRuntimeConnection  # type: ignore[import-not-found]
from copilot.generated.rpc import AgentsDiscoverRequest  # type: ignore[import-not-found]


async def main(program: str, folder: str) -> None:
    client = CopilotClient(connection=ChildProcessRuntimeConnection(path=program), use_logged_in_user=False)
    await client.start()
    found = await client.rpc.agents.discover(AgentsDiscoverRequest(project_paths=[folder]))
    await client.stop()
    print(json.dumps([{"id": a.id, "description": a.description, "tools": a.tools} for a in found.agents]))


asyncio.run(main(*sys.argv[1:]))
