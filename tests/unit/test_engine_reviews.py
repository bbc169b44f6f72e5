"""A review is of one commit: what is committed while it runs is reviewed too, or is not released."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.contract import AgentRequest, AgentResponse, succeeded
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
        self.script = Scripted(test_runner=self._test)
        self.office.engine = Engine(self.office.ws, self.script.as_runtimes())

    async def _test(self, _: AgentRequest) -> AgentResponse:
        self.running.set()
        await self.go_on.wait()
        return succeeded("test-runner", OUTPUTS["test-runner"])

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
