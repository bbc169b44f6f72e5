"""The thinking agents on a model: one exchange, one chance to mend it, and nothing paid for twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.agents.session import Alone, OverBudget, Turn
from core.contract import ApmError, Json, Status, canonical_json
from core.orchestration.journal import check_recordable
from core.runtimes.base import Unavailable
from core.runtimes.models.answering import AnsweringRuntime
from core.runtimes.models.dialogue import ModelFailed, Prompt
from tests.models.asked import DECISION, RAW, Walk, asked, row
from tests.models.speaking import Speaker, Talk, as_text
from tests.models.test_shapes import OURS, SHAPED, as_answer

CRITERIA: Json = {"acceptance_criteria": [{"id": f"AC{n}", "text": f"It does {n}."} for n in (1, 2, 3)]}
WHOLE: Json = {"status": "SUCCESS", "output": CRITERIA, "missing": [], "suggestion": "", "decisions": []}
WRONG: Json = {**WHOLE, "output": {"acceptance_criteria": [{"id": "AC1"}]}}
UNWISE: Json = {**WHOLE, "output": {"acceptance_criteria": [{"id": "AC1", "text": " "}]}}
"""Of the right form, as a provider sees to it, and yet of no use."""
REQUEST, AGENT = asked("ac-writer", RAW), row("ac-writer")


def talk(home: Path, *said: Any, **model: Any) -> Talk:
    return Talk(Speaker(list(said), **model), home)


class TestAnExchange:
    async def test_an_answer_is_the_agents_output_with_what_the_call_used(self, tmp_path: Path) -> None:
        exchange = talk(tmp_path, as_text(WHOLE))

        response = await exchange.ask(REQUEST, AGENT)

        assert (response.status, response.output_artifact) == (Status.SUCCESS, CRITERIA)
        facts = dict(response.metadata)
        assert facts.pop("seconds") >= 0
        assert facts == {
            "model": "scripted-1",
            "tokens": 128,
            "usage": {"input": 100, "output": 20, "cache_read": 5, "cache_write": 3},
            "tries": 1,
            "request_ids": ["req_1"],
            "cost": 0.001,
        }
        [prompt] = exchange.model.asked
        assert prompt.shape is not None
        assert prompt.system.startswith("You are ac-writer.")
        assert (prompt.tools, prompt.choice) == ((), None)

    async def test_without_a_known_price_there_is_no_cost(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, as_text(WHOLE), dollars=None).ask(REQUEST, AGENT)

        assert "cost" not in response.metadata

    async def test_a_blocked_agent_hands_over_what_it_has_and_asks(self, tmp_path: Path) -> None:
        said = {**WHOLE, "status": "BLOCKED", "missing": ["a third criterion"], "suggestion": "Name one more."}

        response = await talk(tmp_path, as_text(said)).ask(REQUEST, AGENT)

        assert (response.status, response.output_artifact) == (Status.BLOCKED, CRITERIA)
        assert (response.missing, response.metadata["suggestion"]) == (["a third criterion"], "Name one more.")

    async def test_words_around_the_answer_do_not_hurt(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, f"Here it is:\n```json\n{as_text(WHOLE)}\n```").ask(REQUEST, AGENT)

        assert (response.status, response.metadata["tries"]) == (Status.SUCCESS, 1)

    async def test_a_measurement_is_not_asked_for(self, tmp_path: Path) -> None:
        with pytest.raises(ApmError, match="a model cannot stand in for it"):
            await talk(tmp_path).ask(asked("test-runner", {}), row("test-runner"))

    async def test_a_domain_agents_word_reads_as_the_functions(self, tmp_path: Path) -> None:
        said = {
            "status": "SUCCESS", "missing": [], "suggestion": "",
            "output": {"choice": "none", "reason": "Undone in an hour.", "escalate": None},
        }  # fmt: skip

        response = await talk(tmp_path, as_text(said)).ask(asked("decision", DECISION), row("technical"))

        assert response.output_artifact == {"choice": "none", "reason": "Undone in an hour."}


@pytest.mark.parametrize("code", ["D1", "P1"])
async def test_a_phase_on_a_model_reads_as_the_same_phase_without_one(code: str, tmp_path: Path) -> None:
    """A model that says what the functions say: everything that is asked of it reaches the same form again."""
    found = await Walk(tmp_path).phase(code)

    for role in SHAPED[code]:
        request, by_function = found[role]
        envelope, _ = as_answer(role, by_function)
        response = await talk(tmp_path, envelope, holds_to_shapes=False).ask(request, row(role))
        check_recordable(response)
        assert (role, response.status) == (role, by_function.status)
        assert set(response.output_artifact) == set(by_function.output_artifact) - set(OURS.get(role, ()))


class TestMending:
    async def test_a_wrong_answer_is_quoted_back_once_with_what_is_wrong(self, tmp_path: Path) -> None:
        exchange = talk(tmp_path, as_text(UNWISE), as_text(WHOLE))

        response = await exchange.ask(REQUEST, AGENT)

        assert (response.status, response.metadata["tries"], response.metadata["tokens"]) == (Status.SUCCESS, 2, 256)
        _, wrong, told = exchange.model.asked[1].messages
        assert wrong == {"role": "assistant", "content": [{"type": "text", "text": as_text(UNWISE)}]}
        assert "output.acceptance_criteria.0.text: it is empty." in told["content"]

    async def test_wrong_twice_is_a_failure_that_says_why(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, as_text(UNWISE), as_text(UNWISE)).ask(REQUEST, AGENT)

        assert response.status is Status.FAILURE
        assert "acceptance_criteria.0.text: it is empty" in response.metadata["error"]
        assert f"It said “{as_text(UNWISE)[:100]}" in response.metadata["error"]
        assert response.metadata["suggestion"]
        assert (response.metadata["tries"], response.metadata["cost"]) == (2, 0.002)

    async def test_a_wrong_call_is_answered_as_a_tool_that_failed(self, tmp_path: Path) -> None:
        exchange = talk(tmp_path, WRONG, WHOLE, holds_to_shapes=False)

        assert (await exchange.ask(REQUEST, AGENT)).status is Status.SUCCESS

        first, second = exchange.model.asked
        assert first.choice == {"type": "tool", "name": "answer"}
        assert first.shape is None
        [result] = second.messages[-1]["content"]
        assert (result["type"], result["tool_use_id"], result["is_error"]) == ("tool_result", "call_1", True)
        assert "it is missing" in result["content"]

    @pytest.mark.parametrize(
        "said",
        ["", "   ", [], [{"type": "tool_use", "id": "c", "name": "rm", "input": {"path": "/"}}], '{"status": 1}'],
    )
    async def test_no_answer_at_all_is_asked_for_again(self, said: Any, tmp_path: Path) -> None:
        exchange = talk(tmp_path, said, WHOLE, holds_to_shapes=False)

        assert (await exchange.ask(REQUEST, AGENT)).status is Status.SUCCESS

    async def test_two_different_answers_are_none(self, tmp_path: Path) -> None:
        calls = [
            {"type": "tool_use", "id": f"c{n}", "name": "answer", "input": {**WHOLE, "suggestion": str(n)}}
            for n in (1, 2)
        ]
        exchange = talk(tmp_path, calls, WHOLE, holds_to_shapes=False)

        assert (await exchange.ask(REQUEST, AGENT)).status is Status.SUCCESS
        assert len(exchange.model.asked[1].messages[-1]["content"]) == 2


class TestModelsThatIgnoreShapes:
    @pytest.mark.parametrize("said", ["I think there are three criteria.", as_text(WRONG), '{"status": "SUCCESS"}'])
    async def test_they_are_given_a_tool_and_next_time_at_once(self, said: str, tmp_path: Path) -> None:
        exchange = talk(tmp_path, said, WHOLE, WHOLE)

        first = await exchange.ask(REQUEST, AGENT)
        again = await exchange.ask(asked("ac-writer", {**RAW, "title": "Another"}), AGENT)

        assert (first.status, again.status) == (Status.SUCCESS, Status.SUCCESS)
        assert [prompt.shape is not None for prompt in exchange.model.asked] == [True, False, False]
        assert (first.metadata["tries"], len(exchange.model.asked[1].messages)) == (2, 1)

    async def test_after_the_tool_there_is_still_the_round_to_mend(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, "Well.", WRONG, WHOLE).ask(REQUEST, AGENT)

        assert (response.status, response.metadata["tries"]) == (Status.SUCCESS, 3)

    async def test_and_no_more_than_that(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, "Well.", WRONG, WRONG).ask(REQUEST, AGENT)

        assert (response.status, response.metadata["tries"]) == (Status.FAILURE, 3)


class TestEndsWithoutAnAnswer:
    async def test_a_refusal_is_a_failure_with_its_reason(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, "I cannot help with that.", stop_reason="refusal").ask(REQUEST, AGENT)

        assert response.status is Status.FAILURE
        assert response.metadata["error"] == "the model refused to answer: I cannot help with that."

    async def test_what_broke_off_is_never_taken_for_an_answer(self, tmp_path: Path) -> None:
        half = as_text(WHOLE)[:-1]
        exchange = talk(tmp_path, half, half, stop_reason="max_tokens")

        response = await exchange.ask(REQUEST, AGENT)

        assert response.status is Status.FAILURE
        assert "broke off after 20 tokens" in response.metadata["error"]
        assert "far fewer words" in exchange.model.asked[1].messages[0]["content"]

    async def test_a_call_that_broke_off_may_lack_anything(self, tmp_path: Path) -> None:
        exchange = talk(tmp_path, WHOLE, WHOLE, stop_reason="max_tokens", holds_to_shapes=False)

        assert (await exchange.ask(REQUEST, AGENT)).status is Status.FAILURE

    async def test_a_closed_text_that_ran_on_in_blanks_is_whole(self, tmp_path: Path) -> None:
        said = f"```json\n{as_text(WHOLE)}\n```" + "\n" * 300

        assert (await talk(tmp_path, said, stop_reason="max_tokens").ask(REQUEST, AGENT)).status is Status.SUCCESS

    async def test_a_request_that_is_too_long_says_so(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, "", stop_reason="model_context_window_exceeded").ask(REQUEST, AGENT)

        assert "longer than the model can read" in response.metadata["error"]

    async def test_a_model_that_fails_is_a_failure_with_what_was_used_before(self, tmp_path: Path) -> None:
        response = await talk(tmp_path, as_text(UNWISE), ModelFailed("it hung up four times")).ask(REQUEST, AGENT)

        assert (response.status, response.metadata["error"]) == (Status.FAILURE, "it hung up four times")
        assert response.metadata["tokens"] == 128

    @pytest.mark.parametrize("stop", [OverBudget("no room", {}), Unavailable("scripted", "no key", 5)])
    async def test_what_the_engine_waits_for_goes_through(self, stop: ApmError, tmp_path: Path) -> None:
        with pytest.raises(type(stop)):
            await talk(tmp_path, stop).ask(REQUEST, AGENT)


class Cut(Exception):
    """The plug is pulled."""


class Killed(Alone):
    """A session whose process dies once a reply is on record."""

    async def keep(self, kind: str, content: Json) -> Turn:
        await super().keep(kind, content)
        raise Cut


class TestAfterAKill:
    async def test_an_answer_that_was_paid_for_is_not_asked_for_again(self, tmp_path: Path) -> None:
        session = Killed()
        with pytest.raises(Cut):
            await talk(tmp_path, as_text(WHOLE)).ask(REQUEST, AGENT, session)

        later = talk(tmp_path)
        response = await later.ask(REQUEST, AGENT, Alone(kept=session.kept))

        assert (response.status, response.output_artifact, later.model.asked) == (Status.SUCCESS, CRITERIA, [])
        assert (response.metadata["tokens"], response.metadata["request_ids"]) == (128, ["req_1"])

    @pytest.mark.parametrize("first", [as_text(UNWISE), as_text(WRONG), "Prose."])
    async def test_the_exchange_goes_on_where_it_stood(self, first: str, tmp_path: Path) -> None:
        session = Killed()
        with pytest.raises(Cut):
            await talk(tmp_path, first).ask(REQUEST, AGENT, session)
        whole = talk(tmp_path, first, as_text(WHOLE))
        await whole.ask(REQUEST, AGENT)

        later = talk(tmp_path, as_text(WHOLE))
        response = await later.ask(REQUEST, AGENT, Alone(kept=session.kept))

        assert (response.status, response.metadata["tries"]) == (Status.SUCCESS, 2)
        assert later.model.asked == whole.model.asked[1:]

    async def test_what_is_on_record_is_plain_json(self, tmp_path: Path) -> None:
        exchange = talk(tmp_path, as_text(WHOLE))
        await exchange.ask(REQUEST, AGENT)

        assert canonical_json(exchange.kept)

    async def test_cancelling_ends_the_call_and_keeps_nothing(self, tmp_path: Path) -> None:
        begun = asyncio.Event()

        class Slow(Speaker):
            async def ask(self, prompt: Prompt, session: Any) -> Any:
                begun.set()
                await asyncio.Event().wait()

        exchange = Talk(Slow([]), tmp_path)
        task = asyncio.create_task(exchange.ask(REQUEST, AGENT))
        await begun.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert exchange.kept == []


async def test_the_agents_row_says_which_model_is_asked(tmp_path: Path) -> None:
    asks: dict[str | None, Speaker] = {"small": Speaker([as_text(WHOLE)]), "large": Speaker([as_text(WHOLE)])}
    runtime = AnsweringRuntime("scripted", lambda agent: asks[agent.model])
    exchange = talk(tmp_path)
    exchange.runtime = runtime

    await exchange.ask(REQUEST, row("ac-writer", model="large"))

    assert (len(asks["small"].asked), len(asks["large"].asked)) == (0, 1)
