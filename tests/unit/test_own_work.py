"""What the target brought into a branch is not the branch's own work, however it came there."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.contract import Json
from core.projects import git
from core.projects.own_work import files_of, own_base
from tests.unit.git_project import commit
from tests.unit.git_project import git as by_hand

BRANCH = "apm/2-it"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A branch of one commit beside a target that has moved by one."""
    repo = tmp_path / "shop"
    commit(repo, {"a.txt": "one\n"}, "first")
    by_hand(repo, "tag", "began")
    by_hand(repo, "switch", "-q", "-c", BRANCH)
    commit(repo, {"mine.txt": "mine\n"}, "mine")
    by_hand(repo, "switch", "-q", "main")
    commit(repo, {"theirs.txt": "theirs\n"}, "theirs")
    by_hand(repo, "switch", "-q", BRANCH)
    return repo


def told(repo: Path) -> Json:
    return {"target": "main", "branch": BRANCH, "base_commit": by_hand(repo, "rev-parse", "began")}


def merge(repo: Path, other: str, *words: str) -> str:
    by_hand(repo, "merge", "-q", "--no-ff", "-m", "\n\n".join((f"Merge {other}", *words)), other)
    return by_hand(repo, "rev-parse", "HEAD")


async def own_files(repo: Path) -> list[str]:
    return [path for _, path in await git.changed_files(repo, await own_base(repo, told(repo)))]


async def test_before_any_merge_a_branch_is_what_came_after_its_beginning(repo: Path) -> None:
    assert await own_base(repo, told(repo)) == told(repo)["base_commit"]


async def test_what_a_merge_of_the_target_brought_is_not_the_branchs_own(repo: Path) -> None:
    merge(repo, "main")
    assert await own_base(repo, told(repo)) == by_hand(repo, "rev-parse", "main")
    assert await own_files(repo) == ["mine.txt"]
    by_hand(repo, "switch", "-q", "main")
    commit(repo, {"later.txt": "later\n"}, "later")
    by_hand(repo, "switch", "-q", BRANCH)
    assert await own_files(repo) == ["mine.txt"]


async def test_a_branch_that_was_rebased_is_its_own_commits(repo: Path) -> None:
    by_hand(repo, "rebase", "-q", "main")
    assert await own_files(repo) == ["mine.txt"]


async def test_a_target_that_is_gone_or_has_another_history_leaves_the_recorded_beginning(repo: Path) -> None:
    merge(repo, "main")
    by_hand(repo, "branch", "-q", "-D", "main")
    assert await own_base(repo, told(repo)) == told(repo)["base_commit"]
    by_hand(repo, "switch", "-q", "--orphan", "main")
    commit(repo, {"other.txt": "other\n"}, "another history")
    by_hand(repo, "switch", "-q", BRANCH)
    assert await own_base(repo, told(repo)) == told(repo)["base_commit"]


async def test_a_target_that_was_set_back_behind_the_beginning_does_not_widen_the_branch(repo: Path) -> None:
    asked = {**told(repo), "base_commit": await git.head(repo, "main")}
    by_hand(repo, "reset", "-q", "--hard", "main")
    commit(repo, {"mine.txt": "mine\n"}, "mine")
    by_hand(repo, "branch", "-q", "-f", "main", "began")
    assert await own_base(repo, asked) == asked["base_commit"]


async def test_a_branch_that_is_all_on_the_target_is_what_came_after_its_beginning(repo: Path) -> None:
    by_hand(repo, "branch", "-q", "-f", "main", BRANCH)
    assert await own_files(repo) == ["mine.txt"]


async def test_what_its_own_release_has_merged_stays_its_own(repo: Path) -> None:
    by_hand(repo, "switch", "-q", "main")
    merge(repo, BRANCH, "Apm-Work-Item: 2\nApm-Agent: deploy-orchestrator")
    by_hand(repo, "switch", "-q", BRANCH)
    commit(repo, {"more.txt": "more\n"}, "mends the release")
    assert await own_files(repo) == ["mine.txt", "more.txt"]


async def test_a_merge_commit_changes_what_it_leaves_as_none_of_its_parents_has_it(repo: Path) -> None:
    assert await files_of(repo, merge(repo, "main")) == []
    by_hand(repo, "switch", "-q", "main")
    commit(repo, {"mine.txt": "other\n"}, "in the way")
    by_hand(repo, "switch", "-q", BRANCH)
    by_hand(repo, "merge", "-q", "--no-commit", "-s", "ours", "main")
    resolved = commit(repo, {"mine.txt": "both\n"}, "Merge main")
    assert await files_of(repo, resolved) == ["mine.txt"]
    assert await files_of(repo, f"{resolved}^1^1") == ["mine.txt"]
