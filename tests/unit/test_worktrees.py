"""One worktree per work item, whatever a kill left of it."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.projects import git
from core.projects.git import GitError
from core.projects.worktrees import Worktree, ensure, prune, remove, reset_to_commit, slug
from tests.unit.git_project import commit
from tests.unit.git_project import git as by_hand
from tests.unit.worktree_accidents import ACCIDENTS, tree_gone


@pytest.fixture(autouse=True)
def _user_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "my projéct"
    commit(repo, {"a.txt": "one\n", "b.txt": "one\n", ".gitignore": "*.log\n"}, "first")
    return repo


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "stäte dir" / "worktrees" / "my projéct"


def state_of(repo: Path) -> tuple[str, str, str]:
    """What apm must leave alone in the user's checkout."""
    return (
        by_hand(repo, "rev-parse", "main"),
        by_hand(repo, "status", "--porcelain"),
        by_hand(repo, "symbolic-ref", "HEAD"),
    )


async def assert_whole(worktree: Worktree, repo: Path) -> None:
    assert await git.status(worktree.path) == ()
    assert await git.current_branch(worktree.path) == worktree.branch
    assert sorted(path.name for path in worktree.path.iterdir()) == [".git", ".gitignore", "a.txt", "b.txt"]
    assert [checkout.locked for checkout in await git.checkouts(repo)] == [None, None]


async def test_a_new_worktree_begins_at_the_target(repo: Path, home: Path) -> None:
    (repo / "a.txt").write_text("the user's own change")
    before = state_of(repo)

    worktree = await ensure(repo, home, 7, "Add a login!", "main")

    assert worktree == Worktree(home / "7-add-a-login", "apm/7-add-a-login", by_hand(repo, "rev-parse", "main"))
    await assert_whole(worktree, repo)
    assert state_of(repo) == before


async def test_it_is_found_again_by_its_number(repo: Path, home: Path) -> None:
    first = await ensure(repo, home, 7, "Add a login", "main")
    commit(repo, {"c.txt": "main moved on"})
    own = commit(first.path, {"d.txt": "work"})
    (first.path / "e.txt").write_text("not committed yet")

    again = await ensure(repo, home, 7, "Quite another title", "main")

    assert again == first
    assert by_hand(again.path, "rev-parse", "HEAD") == own
    assert (again.path / "e.txt").is_file()
    other = await ensure(repo, home, 70, "Seventy", "main")
    assert other.branch == "apm/70-seventy"


async def test_two_work_items_at_once(repo: Path, home: Path) -> None:
    made = await asyncio.gather(*(ensure(repo, home, number, "Same title", "main") for number in range(1, 6)))
    assert len({worktree.path for worktree in made}) == 5
    assert all(worktree.path.is_dir() for worktree in made)


async def test_the_base_stays_when_the_target_and_the_branch_move(repo: Path, home: Path) -> None:
    first = await ensure(repo, home, 7, "x", "main")
    commit(repo, {"c.txt": ""})
    await git.merge_in(first.path, "main")
    assert (await ensure(repo, home, 7, "x", "main")).base_commit == first.base_commit


@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_it_is_made_whole_after_any_accident(
    repo: Path, home: Path, accident: Callable[[Path, Worktree], None]
) -> None:
    first = await ensure(repo, home, 7, "Add a login", "main")
    accident(repo, first)

    again = await ensure(repo, home, 7, "Add a login", "main")

    assert again == first
    await reset_to_commit(again)
    await assert_whole(again, repo)
    assert await git.add_all_and_commit(again.path, "nothing") is None


@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_it_can_be_removed_after_any_accident(
    repo: Path, home: Path, accident: Callable[[Path, Worktree], None]
) -> None:
    worktree = await ensure(repo, home, 7, "Add a login", "main")
    accident(repo, worktree)

    await remove(repo, worktree, delete_branch=True)
    await remove(repo, worktree, delete_branch=True)

    assert list(home.iterdir()) == []
    assert by_hand(repo, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert len(await git.checkouts(repo)) == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from core.projects.worktrees import ensure
asyncio.run(ensure(Path(sys.argv[1]), Path(sys.argv[2]), 7, "Add a login", "main"))
"""


def start_and_kill(repo: Path, home: Path, traces: int) -> None:
    """Kill an apm and its gits as soon as a number of files has appeared where the worktree is made."""
    entry = repo / ".git" / "worktrees"
    apm = subprocess.Popen([sys.executable, "-c", KILLED, str(repo), str(home)], stderr=subprocess.DEVNULL)
    while apm.poll() is None and len([*entry.rglob("*"), *home.rglob("*")]) < traces:
        pass
    apm.send_signal(signal.SIGKILL)
    apm.wait()


@pytest.mark.parametrize("traces", [1, 3, 8, 30])
async def test_it_is_made_whole_after_a_kill_on_the_way(repo: Path, home: Path, traces: int) -> None:
    commit(repo, {f"many/{number}.txt": "x" for number in range(300)})
    start_and_kill(repo, home, traces)

    worktree = await ensure(repo, home, 7, "Add a login", "main")

    assert await git.status(worktree.path) == ()
    assert await git.current_branch(worktree.path) == "apm/7-add-a-login"
    assert len(list((worktree.path / "many").iterdir())) == 300


async def test_changes_survive_when_project_or_workspace_was_moved(repo: Path, home: Path) -> None:
    first = await ensure(repo, home, 7, "x", "main")
    (first.path / "new.txt").write_text("work")

    repo = repo.rename(repo.parent / "moved")
    again = await ensure(repo, home, 7, "x", "main")
    assert (again.path / "new.txt").read_text() == "work"

    home = home.rename(home.parent / "elsewhere")
    again = await ensure(repo, home, 7, "x", "main")
    assert again.path.parent == home
    assert (again.path / "new.txt").read_text() == "work"
    assert await git.status(again.path) == (("??", "new.txt"),)


def git_at_work(folder: Path) -> subprocess.Popen[bytes]:
    """A git that goes on until its input ends."""
    return subprocess.Popen(["git", "hash-object", "--stdin"], cwd=folder, stdin=subprocess.PIPE)


async def test_a_lock_that_a_living_git_holds_is_left(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    lock = repo / ".git" / "worktrees" / worktree.path.name / "index.lock"
    lock.write_text("")
    living = git_at_work(worktree.path)
    try:
        await ensure(repo, home, 7, "x", "main")
        assert lock.is_file()
    finally:
        living.communicate()
    await ensure(repo, home, 7, "x", "main")
    assert not lock.is_file()


async def test_a_branch_that_is_checked_out_elsewhere_is_refused(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    await remove(repo, worktree, delete_branch=False)
    by_hand(repo, "checkout", "-q", worktree.branch)
    with pytest.raises(
        GitError, match=rf"^apm/7-x is checked out at {re.escape(str(repo))}\. If that was done by hand"
    ):
        await ensure(repo, home, 7, "x", "main")


async def test_two_workspaces_on_one_repository_are_told_apart(repo: Path, home: Path) -> None:
    first = await ensure(repo, home, 7, "x", "main")
    with pytest.raises(
        GitError, match=rf"^apm/7-x is checked out at {re.escape(str(first.path))}\. .* NAME --path DIR"
    ):
        await ensure(repo, home.with_name("another"), 7, "y", "main")
    assert (await ensure(repo, home, 7, "x", "main")) == first


async def test_refusals_name_the_cause(repo: Path, home: Path, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="There is no commit named 'refs/heads/devel'"):
        await ensure(repo, home, 7, "x", "devel")
    by_hand(repo, "branch", "apm")
    with pytest.raises(
        GitError, match=r"has a branch named 'apm', so git can make no branch 'apm/7-x'; rename that one"
    ):
        await ensure(repo, home, 7, "x", "main")


async def test_reset_takes_away_what_a_killed_agent_left(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    (worktree.path / "a.txt").write_text("half")
    (worktree.path / "new.txt").write_text("half")
    (worktree.path / "kept.log").write_text("ignored")
    by_hand(worktree.path, "init", "-q", "cloned")
    by_hand(worktree.path, "add", "a.txt")

    await reset_to_commit(worktree)

    assert await git.status(worktree.path) == ()
    assert sorted(path.name for path in worktree.path.iterdir()) == [".git", ".gitignore", "a.txt", "b.txt", "kept.log"]


async def test_reset_ends_a_merge_and_returns_to_the_branch(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    head = commit(worktree.path, {"a.txt": "ours\n"})
    commit(repo, {"a.txt": "theirs\n"})
    with pytest.raises(subprocess.CalledProcessError):
        by_hand(worktree.path, "rebase", "main")

    await reset_to_commit(worktree)
    assert by_hand(worktree.path, "rev-parse", "HEAD") == head
    assert await git.current_branch(worktree.path) == worktree.branch
    assert "rebas" not in by_hand(worktree.path, "status")

    with pytest.raises(subprocess.CalledProcessError):
        by_hand(worktree.path, "merge", "main")
    await reset_to_commit(worktree)
    assert await git.status(worktree.path) == ()
    assert "merg" not in by_hand(worktree.path, "status")


async def test_reset_mends_a_cut_index(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    index = repo / ".git" / "worktrees" / worktree.path.name / "index"
    index.write_bytes(index.read_bytes()[:20])
    await reset_to_commit(worktree)
    await assert_whole(worktree, repo)


async def test_reset_never_falls_on_the_project_around_the_workspace(repo: Path) -> None:
    worktree = await ensure(repo, repo / "state" / "worktrees", 7, "x", "main")
    (repo / "a.txt").write_text("precious")
    (worktree.path / ".git").unlink()

    with pytest.raises(GitError, match="not a git repository"):
        await reset_to_commit(worktree)
    assert (repo / "a.txt").read_text() == "precious"


async def test_remove_keeps_the_branch_unless_told(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    own = commit(worktree.path, {"c.txt": ""})
    by_hand(worktree.path, "init", "-q", "inner")

    await remove(repo, worktree, delete_branch=False)

    assert not worktree.path.exists()
    assert await git.head(repo, worktree.branch) == own
    assert await ensure(repo, home, 7, "x", "main") == worktree


async def test_remove_works_when_the_project_itself_is_gone(repo: Path, home: Path) -> None:
    worktree = await ensure(repo, home, 7, "x", "main")
    shutil.rmtree(repo)
    await remove(repo, worktree, delete_branch=True)
    assert not worktree.path.exists()


async def test_prune_removes_what_belongs_to_no_live_work_item(repo: Path, home: Path) -> None:
    made = {number: await ensure(repo, home, number, "x", "main") for number in (1, 2, 3, 4)}
    unmerged = commit(made[2].path, {"c.txt": "only here"})
    tree_gone(repo, made[3])
    (home / "notes").mkdir()
    by_hand(repo, "worktree", "add", "-q", str(repo.parent / "users own"), "-b", "users")

    gone = await prune(repo, home, {4})

    assert gone == (made[1].path, made[2].path, made[3].path)
    assert sorted(path.name for path in home.iterdir()) == ["4-x", "notes"]
    assert sorted(by_hand(repo, "branch", "--format=%(refname:short)").split()) == [
        "apm/2-x",
        "apm/4-x",
        "main",
        "users",
    ]
    assert await git.head(repo, "apm/2-x") == unmerged
    assert await prune(repo, home, {4}) == ()
    assert len(await git.checkouts(repo)) == 3


async def test_prune_leaves_what_nobody_has_committed(repo: Path, home: Path) -> None:
    made = await ensure(repo, home, 5, "x", "main")
    (made.path / "half.py").write_text("only here\n")

    assert await prune(repo, home, set()) == ()

    assert (made.path / "half.py").read_text() == "only here\n"


async def test_prune_of_a_home_that_was_never_made(repo: Path, home: Path) -> None:
    assert await prune(repo, home, set()) == ()


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Add a login!", "add-a-login"),
        ("  Ünïcode Tïtle  ", "unicode-title"),
        ("日本語", "work"),
        ("", "work"),
        ("--../..//x.lock", "x-lock"),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_slugs(title: str, expected: str) -> None:
    assert slug(title) == expected


@given(st.text(st.characters(), max_size=200))
def test_a_slug_is_short_plain_and_never_empty(title: str) -> None:
    assert re.fullmatch(r"[a-z0-9](-?[a-z0-9])*", slug(title))
    assert len(slug(title)) <= 40
