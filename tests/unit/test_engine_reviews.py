"""A review is of one commit: what is committed while it runs is reviewed too, or is not released."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.contract import AgentRequest, AgentResponse, UsageError, succeeded
from core.orchestration import work_items
from core.orchestration.engine import Engine
from core.store import reads
from tests.e2e.people import Office, commit
from tests.unit.scripted import OUTPUTS, Scripted


class Review:
    """A work item on a real branch whose test run lasts until it is let go."""

    def __init__(self, folder: Path) -> None:
        self.office = Office(folder)
        self.home = folder / "ws" / "state" / "worktrees" / "greeter"
        self.running, self.go_on = asyncio.Event(), asyncio.Event()
        self.unproved: tuple[str, ...] = ()
        self.script = Scripted(test_runner=self._test, ac_verifier=self._verify)
        self.office.engine = Engine(self.office.ws, self.script.as_runtimes())

    async def _test(self, _: AgentRequest) -> AgentResponse:
        self.running.set()
        await self.go_on.wait()
        return succeeded("test-runner", OUTPUTS["test-runner"])

    async def _verify(self, request: AgentRequest) -> AgentResponse:
        """Every criterion has a test, but for those that are proved only where a person vouches for them."""
        vouched = request.context.get("answers", {}).get("criteria", {})
        proofs = {name: vouched.get(name, "" if name in self.unproved else "a test") for name in ("AC1", "AC2", "AC3")}
        rows = [{"id": name, "verified": bool(proof), "evidence": proof} for name, proof in proofs.items()]
        return succeeded("ac-verifier", {"criteria": rows})

    async def begin(self) -> int:
        number = await self.office.request()
        await self.office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "R1"))
        await self.office.engine.start()
        await self.running.wait()
        return number

    def commit(self) -> str:
        (tree,) = self.home.iterdir()
        return commit(tree, "late", {"greeter/late.py": "1 / 0\n"})

    async def passes(self, number: int) -> list[str]:
        found = await self.office.ws.store.read(lambda r: reads.gate_results(r, number))
        return [g.judged["commit"] for g in found if g.phase == "R1" and g.passed]

    def tested(self) -> list[str]:
        return [str(r.context["commit"]) for r in self.script.requests["test-runner"]]


@pytest.fixture
async def review(tmp_path: Path) -> AsyncIterator[Review]:
    made = Review(tmp_path)
    yield made
    await made.office.close()


async def test_a_commit_that_comes_while_tests_run_is_tested_before_it_passes(review: Review) -> None:
    number = await review.begin()

    late = review.commit()
    review.go_on.set()
    await review.office.settle()

    assert await review.passes(number) == [late]
    assert review.tested()[-1] == late


async def test_a_commit_that_comes_in_a_pause_is_tested_before_it_passes(review: Review) -> None:
    number = await review.begin()
    await review.office.ws.store.write(lambda tx: work_items.pause(tx, number, "ada"))
    review.go_on.set()
    await review.office.settle()

    late = review.commit()
    await review.office.ws.store.write(lambda tx: work_items.resume(tx, number, "ada"))
    await review.office.ws.store.write(lambda tx: work_items.stop_after(tx, number, "R1"))
    await review.office.settle()

    assert await review.passes(number) == [late]
    assert review.tested()[-1] == late


async def test_an_answer_is_about_the_criteria_that_are_asked_about_or_refused(review: Review) -> None:
    review.unproved = ("AC3",)
    review.go_on.set()
    number = await review.begin()
    await review.office.settle()
    (question,) = await review.office.questions()
    supply = next(option for option in question.options if option["key"] == "supply")
    assert supply["names"] == {"criteria": {"AC3": "criterion 3"}}

    with pytest.raises(UsageError, match="criteria is asked about AC3, not about 'I saw it'"):
        await review.office.answer(question, "supply", answer={"criteria": {"I saw it": "it works"}})
    assert await review.passes(number) == []

    await review.office.answer(question, "supply", answer={"criteria": {"AC3": "I saw it: it works"}})
    await review.office.settle()
    assert await review.passes(number) == [review.tested()[-1]]


async def test_a_persons_word_holds_for_the_commit_that_they_were_shown(review: Review) -> None:
    review.unproved = ("AC3",)
    review.go_on.set()
    number = await review.begin()
    await review.office.settle()
    (question,) = await review.office.questions()
    assert question.details["commit"] == review.tested()[-1]

    late = review.commit()
    await review.office.answer(question, "supply", answer={"criteria": {"AC3": "I looked at it."}})
    await review.office.settle()

    (asked_again,) = await review.office.questions()
    assert asked_again.id != question.id
    assert asked_again.details["commit"] == late
    assert await review.passes(number) == []

    await review.office.answer(asked_again, "supply", answer={"criteria": {"AC3": "I looked at that too."}})
    await review.office.settle()
    assert await review.passes(number) == [late]
