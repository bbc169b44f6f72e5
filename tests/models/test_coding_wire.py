"""A coding agent on the Messages API, over a real socket and in the real sandbox: a task done, and one cut off."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from core.agents.session import Usage
from core.contract import Json, Status
from core.projects.sandbox import BUBBLEWRAP, NONE, Sandbox
from tests.models.coding_place import Place, ScriptedModel, call, done, says
from tests.models.conftest import KEY, Book, Shop
from tests.models.scripted_server import scripted, tool
from tests.models.wire import Sent, ended, started, streams, wired
from tests.unit.test_sandbox import needs_bubblewrap

CHECK = """\
import os, socket
from src.app import one

assert one() == 2
try:
    socket.create_connection(("127.0.0.1", PORT), 5)
except OSError:
    print("nobody answers in", os.environ["APM_SANDBOX"])
"""


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    return await Place.make(tmp_path, test=["{python}", "-m", "tests.check"], python=sys.executable)


@needs_bubblewrap
async def test_four_answers_over_a_socket_are_one_commit_that_was_checked_without_a_network(
    place: Place, shop: Shop, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    async with scripted() as server:
        check = CHECK.replace("PORT", str(server.port))
        server.script += [
            [tool("read", path="src/app.py"), tool("search", pattern="one")],
            [
                tool("edit", path="src/app.py", old="return 1", new="return 2"),
                tool("write", path="tests/check.py", content=check),
            ],
            [tool("run", command="test")],
            [tool("done", summary="one() gives two.", verifies={"AC1": ["tests/check.py"]})],
        ]
        response = await place.execute(shop.model(server.url), book, sandbox=Sandbox())

    [only] = await place.commits()
    assert (response.status, response.output_artifact["commits"]) == (Status.SUCCESS, [only.sha]), response
    assert (only.author, only.trailers["Apm-Task"]) == ("code-implementer", "T1")
    assert "exit code 0" in server.heard()[-1]
    assert "nobody answers in bubblewrap" in server.heard()[-1]
    assert (response.metadata["sandbox"], response.metadata["turns"], response.metadata["tokens"]) == (
        BUBBLEWRAP, 4, 480,
    )  # fmt: skip
    assert [Usage(u.input, u.output) for u in book.settled] == [Usage(100, 20)] * 4
    assert len(book.reserved) == 4
    told = json.dumps(server.asked)
    assert KEY not in told
    assert str(place.home) not in told


@needs_bubblewrap
@pytest.mark.parametrize(("setting", "kind"), [("auto", BUBBLEWRAP), ("off", NONE)])
async def test_a_person_may_let_a_projects_commands_have_the_network(place: Place, setting: str, kind: str) -> None:
    place.settings |= {"test": ["printenv", "APM_SANDBOX"], "sandbox": setting}
    model = ScriptedModel((says(call("run", command="test"), call("write", path="a.py", content="a\n")), done()))
    response = await place.execute(model, sandbox=Sandbox())
    assert response.metadata["sandbox"] == kind
    assert (BUBBLEWRAP in model.results()[0]["content"]) is (kind == BUBBLEWRAP)


HALF = (
    {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "write"}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": '{"path": "b.py", "content": "'},
    },
)


def whole(call: Json) -> tuple[Json, ...]:
    """The events of an answer that is one call."""
    block = {**call, "input": {}}
    delta = {"type": "input_json_delta", "partial_json": json.dumps(call["input"])}
    return (
        started(input_tokens=100),
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        *ended("tool_use", output_tokens=20),
    )


async def test_cancelled_in_the_midst_of_an_answer_nothing_of_it_is_left_and_the_rest_is_not_asked_again(
    place: Place, shop: Shop, book: Book
) -> None:
    """The second answer stops within a call: what is on record and in the worktree is the first, and nothing runs."""
    streaming, gone = asyncio.Event(), asyncio.Event()

    async def until_gone(reader: asyncio.StreamReader) -> bool:
        streaming.set()
        assert await reader.read() == b""
        gone.set()
        return True

    first = streams(*whole(tool("write", path="a.py", content="a\n")))
    async with wired(first, streams(started(input_tokens=100), *HALF, then=until_gone)) as wire:
        before = asyncio.all_tasks()
        working = asyncio.create_task(place.execute(shop.model(wire.url), book))
        await streaming.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await asyncio.wait_for(gone.wait(), 10)
        left = {task for task in asyncio.all_tasks() - before if "Wire.serve" not in repr(task)}

    assert left == set()
    assert [turn.kind for turn in book.kept] == ["start", "reply", "intent", "tools"]
    assert len(book.settled) == len(book.reserved) == 2
    assert await place.commits() == ()
    assert await place.loose() == (("??", "a.py"),)

    async with wired(streams(*whole(tool("done", summary="Done.", verifies={})))) as wire:
        response = await place.execute(shop.model(wire.url), book)

    assert response.output_artifact["files"] == ["a.py"], response
    assert [len(asked(sent)["messages"]) for sent in wire.sent] == [3]
    assert await place.loose() == ()


def asked(sent: Sent) -> Json:
    return dict(sent.json)
