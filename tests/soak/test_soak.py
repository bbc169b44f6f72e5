"""The soak in short: work that fails, is given up or is passed all comes to its end, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

from tests.soak.work import soak


async def test_a_few_work_items_come_to_rest_and_leave_no_task_and_no_folder(tmp_path: Path) -> None:
    work = await soak(tmp_path / "ws", seed=1, wanted=16, every=16, heard=lambda _: None)
    warm, last = work.at_rest
    assert (work.done, work.open) == (16, set())
    assert (last.tasks - warm.tasks, last.scratch) == (0, 0)
