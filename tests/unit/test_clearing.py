"""What a process that was killed while it cleared away left behind goes at the next start, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.orchestration import outcomes, work_items
from core.projects import worktrees
from tests.e2e.people import Office, git


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(tmp_path)
    yield made
    await made.close()


async def over_with_a_branch(office: Office) -> int:
    """A work item that is over, with a branch and scratch, and its worktree taken away already."""
    number = await office.request()
    tree = await worktrees.ensure(
        office.project_path, office.ws.state / "worktrees" / "greeter", number, "Greet in German", "main"
    )
    await office.ws.store.write(lambda tx: outcomes.note_branch(tx, number, tree.branch, tree.base_commit))
    await office.ws.store.write(lambda tx: work_items.cancel(tx, number, "ada"))
    await worktrees.remove(office.project_path, tree, delete_branch=False)
    (office.ws.state / "scratch" / str(number)).mkdir(parents=True)
    return number


def refs(office: Office) -> list[str]:
    return git(office.project_path, "for-each-ref", "--format=%(refname)", "refs/heads/apm", "refs/apm").split()


async def test_branch_base_and_scratch_of_work_that_is_over_go_at_the_next_start(office: Office) -> None:
    number = await over_with_a_branch(office)
    assert refs(office) == [f"refs/apm/base/{number}", f"refs/heads/apm/{number}-greet-in-german"]

    await office.engine.start()

    assert refs(office) == []
    assert list((office.ws.state / "scratch").iterdir()) == []


async def test_a_branch_with_commits_that_the_target_lacks_stays(office: Office) -> None:
    number = await over_with_a_branch(office)
    branch = f"refs/heads/apm/{number}-greet-in-german"
    made = git(office.project_path, "commit-tree", "-p", "main", "-m", "more", "main^{tree}")
    git(office.project_path, "update-ref", branch, made)

    await office.engine.start()

    assert branch in refs(office)


async def test_another_workspace_s_branch_and_work_on_its_way_are_left_alone(office: Office) -> None:
    under_way = await office.request()
    (office.ws.state / "scratch" / str(under_way)).mkdir(parents=True)
    for name in (f"apm/{under_way}-under-way", "apm/77-of-another"):
        git(office.project_path, "branch", name)
    await office.ws.store.write(lambda tx: work_items.pause(tx, under_way, "ada"))

    await office.engine.start()

    assert refs(office) == [f"refs/heads/apm/{under_way}-under-way", "refs/heads/apm/77-of-another"]
    assert (office.ws.state / "scratch" / str(under_way)).is_dir()
