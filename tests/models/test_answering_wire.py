"""The thinking agents through the real client and a socket: what goes over it, and what is made of what comes back."""

from __future__ import annotations

import json
from pathlib import Path

from core.agents.bench import Bench
from core.agents.session import Alone
from core.contract import AgentRequest, AgentResponse, Json, Status
from core.runtimes.models.answering import AnsweringRuntime
from tests.models.asked import RAW, Walk, asked, row
from tests.models.conftest import Shop
from tests.models.test_answering import CRITERIA, WHOLE, WRONG
from tests.models.test_shapes import SHAPED, as_answer
from tests.models.wire import Deed, ended, says, started, streams, wired


def calls(given: Json) -> Deed:
    """A call of the tool `answer`, its input in two pieces."""
    text = json.dumps(given)
    block: Json = {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": {}}
    pieces = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": part}}
        for part in (text[:20], text[20:])
    ]
    begins: Json = {"type": "content_block_start", "index": 0, "content_block": block}
    return streams(started(input_tokens=50, output_tokens=1), begins, *pieces, *ended("tool_use", output_tokens=20))


async def test_definition_and_planning_over_a_socket(shop: Shop, tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    asking: dict[str, tuple[AgentRequest, AgentResponse]] = {}
    for code in ("D1", "P1"):
        found = await walk.phase(code)
        asking |= {role: found[role] for role in SHAPED[code]}
    told = [says(json.dumps(as_answer(role, response)[0])) for role, (_, response) in asking.items()]

    async with wired(*told) as wire:
        model = shop.model(wire.url)
        runtime = AnsweringRuntime("anthropic", lambda agent: model)
        for role, (request, by_function) in asking.items():
            session = Alone()
            response = await runtime.execute(request, row(role), Bench(walk.repo, tmp_path, tmp_path, session))
            assert (role, response.status) == (role, by_function.status)
            assert (response.metadata["tokens"], session.used.tokens) == (110, 110)

    assert len(wire.sent) == len(asking)
    assert all(sent.json["output_config"]["format"]["type"] == "json_schema" for sent in wire.sent)
    assert not any(str(walk.repo) in sent.body for sent in wire.sent)


async def test_a_server_that_ignores_shapes_is_asked_with_a_tool_and_told_what_is_wrong(
    shop: Shop, tmp_path: Path
) -> None:
    async with wired(says("There are three."), calls(WRONG), calls(WHOLE), calls(WHOLE)) as wire:
        model = shop.model(wire.url)
        runtime = AnsweringRuntime("anthropic", lambda agent: model)
        bench = Bench(None, tmp_path, tmp_path, Alone())
        response = await runtime.execute(asked("ac-writer", RAW), row("ac-writer"), bench)
        later = Bench(None, tmp_path, tmp_path, Alone())
        again = await runtime.execute(asked("ac-writer", RAW), row("ac-writer"), later)

    assert (response.status, response.output_artifact, response.metadata["tries"]) == (Status.SUCCESS, CRITERIA, 3)
    assert response.metadata["tokens"] == 110 + 70 + 70
    assert again.metadata["tries"] == 1
    shaped, *by_tool = (sent.json for sent in wire.sent)
    assert "output_config" in shaped
    for body in by_tool:
        assert body["tool_choice"] == {"type": "tool", "name": "answer"}
        assert "output_config" not in body
    assert [message["role"] for message in by_tool[1]["messages"]] == ["user", "assistant", "user"]
    assert by_tool[1]["messages"][2]["content"][0]["is_error"] is True
