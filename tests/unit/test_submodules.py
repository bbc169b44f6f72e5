"""A command may put anything at a submodule's place: our git runs nothing of it, and afterwards it is gone."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agents.bench import Bench
from core.orchestration import merging
from core.projects import changes, worktrees
from core.projects import git as projects_git
from core.projects.commands import Limits
from core.projects.sandbox import Place, Sandbox
from core.projects.submodules import disarm
from tests.unit.git_project import commit, git

NO_SANDBOX = Sandbox("no-such-program")


@dataclass(frozen=True)
class Planted:
    """A worktree with a submodule at `libs/vendor`, and what a command makes to be put there."""

    tree: Path
    made: Path
    ran: Path

    @property
    def place(self) -> Path:
        return self.tree / "libs" / "vendor"

    def put(self) -> None:
        """The repository at the submodule's place, with the very commit that is expected there and a changed file."""
        self.place.rmdir()
        self.made.rename(self.place)

    async def command(self, code: str) -> None:
        argv = [sys.executable, "-c", code]
        result = await NO_SANDBOX.run(argv, Place(self.tree, disarmed=self.tree), limits=Limits(seconds=60.0), env={})
        assert result.ok, result.output


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    made, tree, ran = tmp_path / "made", tmp_path / "tree", tmp_path / "ran"
    sha = commit(made, {"f.txt": "1\n", ".gitattributes": "* filter=own\n"})
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    git(made, "config", "filter.own.clean", str(program))
    (made / "f.txt").write_text("2\n")
    commit(tree, {"a.txt": "a\n"})
    git(tree, "update-index", "--add", "--cacheinfo", f"160000,{sha},libs/vendor")
    (tree / "libs" / "vendor").mkdir(parents=True)
    # What a worktree says of its own submodules comes before what a command line says by `-c`.
    module = '[submodule "x"]\n\tpath = libs/vendor\n\turl = https://example.org/x\n\tignore = none\n'
    (tree / ".gitmodules").write_text(module)
    git(tree, "add", ".gitmodules")
    git(tree, "commit", "-q", "-m", "A submodule")
    for branch, text in (("other", "theirs"), ("main", "ours")):
        git(tree, "checkout", "-q", "-B", branch, "main")
        (tree / "a.txt").write_text(text)
        git(tree, "commit", "-q", "-m", text, "a.txt")
    return Planted(tree, made, ran)


async def _merged(tree: Path) -> None:
    (tree.parent / "scratch").mkdir()
    bench = Bench(tree, tree.parent, tree.parent / "scratch")
    assert await merging.merge_in(bench, "other") == ("a.txt",)


async def _put_back(tree: Path) -> None:
    await worktrees.reset_to_commit(worktrees.Worktree(tree, "main", git(tree, "rev-parse", "HEAD")))


async def _committed(tree: Path) -> None:
    (tree / "a.txt").write_text("b\n")
    assert await projects_git.add_all_and_commit(tree, "A change")
    assert git(tree, "show", "--format=", "--name-only") == "a.txt"


OURS: dict[str, Callable[[Path], Awaitable[object]]] = {
    "status": projects_git.status,
    "commit": _committed,
    "merge": _merged,
    "holds_changes": worktrees.holds_changes,
    "reset": _put_back,
    "changes": lambda tree: changes.changes(tree, "HEAD", None),
    "listed": projects_git.listed_files,
}


@pytest.mark.parametrize("name", OURS)
async def test_our_git_runs_no_git_at_a_submodules_place(planted: Planted, name: str) -> None:
    planted.put()
    await OURS[name](planted.tree)
    assert not planted.ran.exists()


async def test_no_setting_of_the_user_has_a_diff_look_into_submodules(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text("[diff]\n\tsubmodule = diff\n\tignoreSubmodules = none\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "gitconfig").rename(tmp_path / ".gitconfig")
    before = git(planted.tree, "rev-parse", "HEAD")
    git(planted.tree, "update-index", "--cacheinfo", f"160000,{before},libs/vendor")
    git(planted.tree, "commit", "-q", "-m", "Another commit of the submodule")
    planted.put()
    assert (await changes.changes(planted.tree, before, None)).files == (
        changes.ChangedFile("libs/vendor", "changed", 0, 0, None, "160000", "160000"),
    )


async def test_what_a_command_puts_there_is_gone_when_it_ends(planted: Planted) -> None:
    await planted.command(
        f"import os; os.rmdir({str(planted.place)!r}); os.rename({str(planted.made)!r}, 'libs/vendor')"
    )
    assert (planted.place / "f.txt").exists()
    assert not (planted.place / ".git").exists()


async def test_it_is_gone_too_where_the_command_is_stopped(planted: Planted) -> None:
    told = planted.tree.parent / "told"
    os.mkfifo(told)
    code = (
        f"import os, time; os.rmdir({str(planted.place)!r}); os.rename({str(planted.made)!r}, 'libs/vendor')\n"
        f"open({str(told)!r}, 'w').close()\ntime.sleep(300)"
    )
    command = asyncio.ensure_future(planted.command(code))
    await asyncio.to_thread(told.read_text)
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await command
    assert not (planted.place / ".git").exists()


@pytest.mark.parametrize("link", ["libs", "libs/vendor"])
async def test_a_link_there_has_nothing_removed_that_lies_elsewhere(planted: Planted, link: str) -> None:
    elsewhere = planted.made.parent / "elsewhere"
    (elsewhere / "vendor").mkdir(parents=True)
    planted.made.rename(elsewhere / "vendor" / "made")
    for folder in (elsewhere, elsewhere / "vendor"):
        (folder / ".git").mkdir()
    code = f"import os, shutil; shutil.rmtree({link!r}); os.symlink({str(elsewhere)!r}, {link!r})"

    await planted.command(code)

    assert (elsewhere / ".git").is_dir()
    assert (elsewhere / "vendor" / ".git").is_dir()
    assert (planted.tree / link).is_dir()
    assert not (planted.tree / link).is_symlink()


async def test_a_submodule_of_the_projects_own_stays(planted: Planted) -> None:
    own = planted.tree / ".git" / "modules" / "x"
    planted.put()
    own.parent.mkdir()
    (planted.place / ".git").rename(own)
    (planted.place / ".git").write_text("gitdir: ../../.git/modules/x\n")
    await disarm(planted.tree)
    assert (planted.place / ".git").is_file()


async def test_a_pointer_to_anywhere_else_goes(planted: Planted) -> None:
    (planted.place / ".git").write_text(f"gitdir: {planted.made}/.git\n")
    await disarm(planted.tree)
    assert not (planted.place / ".git").exists()
    assert (planted.made / ".git").is_dir()
