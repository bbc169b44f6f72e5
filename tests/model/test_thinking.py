"""The thinking agents on a real, small model: its judgement is not looked at; that it is held to form and limits is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.agents.bench import Bench
from core.agents.session import Alone
from core.contract import Json, Status
from core.orchestration.journal import check_recordable
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.anthropic_api import AnthropicConnection, AnthropicModel
from core.runtimes.models.calling import open_line
from core.runtimes.models.endpoints import NO_KEY, Endpoint
from core.runtimes.models.shapes import shape_of
from tests.models.asked import asked, row

REQUEST: Json = {
    "title": "Add a totals row",
    "type": "feature",
    "body": "Finance retypes every table by hand, two hours a month. `rowdown --totals` must append a row of sums. "
    "Text columns stay empty. `--no-totals` turns it off.",
    "tags": [],
    "impact": 3,
}
PROCEDURES = {
    "intent-triage": "You say what kind of work a request is, which domain it touches and how complex it is, and give "
    "one reason for each.",
    "problem-framer": "You state the problem that a request tells of. You rate from 0 to 1 how clearly it answers who, "
    "what, when, where, why and how, and quote for each the words it rests on.",
    "ac-writer": "You take from a request the conditions that somebody can check with yes or no.",
}
"""Short, because a small model on two cores reads a hundred tokens a second."""
MOST_OUTPUT = 400


@pytest.fixture
async def runtime(server: str) -> AsyncIterator[AnsweringRuntime]:
    connection = AnthropicConnection(open_line(Endpoint("anthropic", server, NO_KEY)))
    model = AnthropicModel("local", connection)
    yield AnsweringRuntime("anthropic", lambda agent: model, MOST_OUTPUT)
    await connection.aclose()


@pytest.mark.parametrize("role", PROCEDURES)
async def test_an_agent_answers_in_its_shape_or_fails_with_what_was_wrong(
    role: str, runtime: AnsweringRuntime, tmp_path: Path
) -> None:
    session, request = Alone(), asked(role, REQUEST)
    agent = row(role, sop_content=PROCEDURES[role], model=None)

    response = await runtime.execute(request, agent, Bench(None, tmp_path, tmp_path, session))

    check_recordable(response)
    assert 1 <= response.metadata["tries"] <= 3
    assert response.metadata["tries"] == len(session.kept)
    assert response.metadata["tokens"] == session.used.tokens > 0
    assert "cost" not in response.metadata
    if response.status is Status.FAILURE:
        assert response.metadata["error"].startswith("the model's answer was no answer")
    else:
        shape_of(role, request).judged(response.output_artifact)


async def test_what_is_on_record_is_not_asked_for_again(runtime: AnsweringRuntime, tmp_path: Path) -> None:
    """The same execution after a kill: the server is gone by then, and nobody notices."""
    request, agent = asked("intent-triage", REQUEST), row("intent-triage", sop_content=PROCEDURES["intent-triage"])
    first = Alone()
    response = await runtime.execute(request, agent, Bench(None, tmp_path, tmp_path, first))
    nobody = AnthropicConnection(open_line(Endpoint("anthropic", "http://127.0.0.1:1", NO_KEY)))
    offline = AnsweringRuntime("anthropic", lambda row: AnthropicModel("local", nobody), MOST_OUTPUT)

    again = await offline.execute(request, agent, Bench(None, tmp_path, tmp_path, Alone(kept=first.kept)))

    assert again.to_json() == response.to_json()
    await nobody.aclose()
