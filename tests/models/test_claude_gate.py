"""The socket over which Claude Code asks before each tool call, and whoever asks there and is killed meanwhile."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path

import pytest

from core.agents.session import Alone
from core.contract import Json
from core.runtimes.claude_code.gate import Gate, served
from core.runtimes.claude_code.past import Past

READ = b'{"tool_name": "Read", "tool_input": {"file_path": "hello.py"}}'


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(Alone(), tmp_path, (), Past())


def socket_of(settings: Json) -> str:
    return shlex.split(settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"])[-1]


async def asked(path: str, question: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(question)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def gone(path: str, question: bytes) -> None:
    """Ask as a process does that is killed before it hears the answer."""
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(question)
    writer.close()
    await writer.wait_closed()


async def all_heard() -> None:
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))


@pytest.mark.parametrize("question", [READ, b"", READ[:20]], ids=["whole", "none", "cut"])
async def test_one_that_is_killed_as_it_asks_is_no_fault_of_the_run(gate: Gate, question: bytes) -> None:
    async with served(gate) as settings:
        await gone(socket_of(settings), question)
        answer = json.loads(await asked(socket_of(settings), READ))
        await all_heard()

    assert answer["hookSpecificOutput"]["permissionDecision"] == "allow"


async def test_a_fault_of_the_gate_itself_ends_the_run_with_it(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Json) -> tuple[str, str]:
        raise ValueError("the journal is full")

    monkeypatch.setattr(gate, "decide", broken)
    with pytest.raises(ValueError, match="the journal is full"):
        async with served(gate) as settings:
            assert await asked(socket_of(settings), READ) == b""
