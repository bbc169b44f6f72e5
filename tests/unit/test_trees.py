"""The static gates judge by what is on the branch: nothing that its commands left or replaced has a say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.agents.analysers import analyse
from core.agents.security import screen
from core.agents.trees import Installed, installed, lend, tree_at
from core.contract import Json
from core.projects import worktrees
from core.projects.sandbox import NOTE
from tests.unit.git_project import commit, git, project, write
from tests.unit.test_confined import BY_A_MODEL
from tests.unit.test_sandbox import needs_bubblewrap

ESLINT = "node_modules/.bin/eslint"
LINTER = '#!/bin/sh\nfor file in *.js; do echo "$file:1:1: error bad"; done\nexit 1\n'
SHELL = "import subprocess\n\n\ndef run(line):\n    return subprocess.run(line, shell=True)\n"


@dataclass(frozen=True)
class Place:
    checkout: Path
    tree: Path
    base: str
    scratch: Path

    def project(self, **settings: object) -> Json:
        return {
            **project(self.checkout, self.base, tech=None, **settings),
            "environment": str(self.scratch.parent / "prepared"),
        }

    async def static(self, **settings: object) -> tuple[Json, tuple[str, ...], str]:
        done = await analyse(self.project(**settings), self.tree, self.scratch, self.base)
        return done.payload["static"], done.missing, done.suggestion

    async def security(self) -> dict[str, Json]:
        done = await screen(self.project(), self.tree, self.scratch, self.base)
        return {row["name"]: row for row in done.payload["security"]["tools"]}


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """A checkout, and the worktree of a branch on which a model has added a file."""
    checkout, scratch = tmp_path / "checkout", tmp_path / "scratch"
    scratch.mkdir()
    ignored = "node_modules\n.bandit\n.secrets.baseline\nruff.toml\n"
    commit(checkout, {"package.json": "{}", "old.js": "x\n", ".gitignore": ignored})
    made = await worktrees.ensure(checkout, tmp_path / "home", 1, "t", "main")
    commit(made.path, {"new.js": "y\n", "shop/run.py": SHELL}, BY_A_MODEL)
    return Place(checkout, made.path, made.base_commit, scratch)


def put_program(root: Path, text: str) -> None:
    write(root, {ESLINT: text})
    (root / ESLINT).chmod(0o755)


def forged(place: Place) -> str:
    """A program that a command of the branch put in the linter's place: it calls nothing new, and tells of its run."""
    return f"#!/bin/sh\ntouch {place.scratch}/ran\ntest -f new.js || echo new.js:1:1: error bad\n"


@pytest.mark.parametrize("argv", [[ESLINT, "."], [f"{{worktree}}/{ESLINT}"], ["npx", "--no-install", "eslint", "."]])
async def test_a_program_that_only_the_worktree_has_is_asked_for_elsewhere_and_not_run(
    place: Place, argv: list[str]
) -> None:
    put_program(place.tree, forged(place))

    static, missing, suggestion = await place.static(lint=[argv])

    assert "the commands of a model's branch can replace it" in missing[0]
    assert f"Install eslint in {place.checkout} as well" in suggestion
    assert (static["tools"][0]["exit_code"], static["issues"]) == (None, None)
    assert not (place.scratch / "ran").exists()


@pytest.mark.parametrize("home", ["checkout", "prepared"])
async def test_what_its_commands_cannot_write_to_judges_a_models_branch(place: Place, home: str) -> None:
    put_program(place.tree, forged(place))
    put_program(place.scratch.parent / home, LINTER)

    static, missing, _ = await place.static(lint=[[ESLINT, "."]])

    assert (static["issues"], static["existing"], missing) == (1, 1, ())
    assert not (place.scratch / "ran").exists()


async def test_a_persons_branch_is_judged_by_what_setup_installed_in_its_worktree(tmp_path: Path) -> None:
    base = commit(tmp_path / "repo", {".gitignore": "node_modules\n", "old.js": ""})
    commit(tmp_path / "repo", {"new.js": ""})
    put_program(tmp_path / "repo", LINTER)

    done = await analyse(project(tmp_path / "repo", base, lint=[[ESLINT, "."]]), tmp_path / "repo", tmp_path, base)

    assert (done.payload["static"]["issues"], done.payload["static"]["existing"]) == (1, 1)


@needs_bubblewrap
async def test_what_was_there_before_is_looked_for_in_the_sandbox_too(tmp_path: Path) -> None:
    linter = f"import os\nprint('a.py:1: bad')\nos.path.exists('b') or open({str(tmp_path / 'pwned')!r}, 'w')\nexit(1)"
    base = commit(tmp_path / "repo", {"lint.py": linter})
    commit(tmp_path / "repo", {"b": ""}, BY_A_MODEL)

    shown = project(tmp_path / "repo", base, lint=[["{python}", "lint.py"]])
    done = await analyse(shown, tmp_path / "repo", tmp_path, base)

    assert [entry["note"] for entry in done.evidence] == [NOTE]
    assert done.payload["static"]["existing"] == 1
    assert not (tmp_path / "pwned").exists()


@needs_bubblewrap
async def test_an_analyser_may_look_into_the_worktree_and_not_write_there(place: Place) -> None:
    inside = f"import pathlib; p = pathlib.Path({str(place.tree)!r}); print((p / 'new.js').read_text()); "

    static, _, _ = await place.static(
        lint=[["{python}", "-c", inside], ["{python}", "-c", inside + "(p / 'a').write_text('')"]]
    )

    assert [row["exit_code"] for row in static["tools"]] == [0, 1]
    assert not (place.tree / "a").exists()


async def test_settings_that_git_ignores_hide_nothing(place: Place) -> None:
    plant = {"ruff.toml": 'exclude = ["shop"]\n', ".bandit": "[bandit]\nskips = B602\n"}
    commit(place.tree, {"shop/unused.py": "import os\n"})
    write(place.tree, plant)

    static, _, _ = await place.static(lint=[["ruff", "check", "--select=F401", "."]])
    tools = await place.security()

    assert static["issues"] == 1
    assert (tools["bandit"]["findings"], tools["bandit"]["note"]) == (1, "")


async def test_one_tool_cannot_write_what_another_reads_and_nothing_is_left(place: Place) -> None:
    commit(place.tree, {"lint.py": "open('ruff.toml', 'w').write('exclude = [\"shop\"]')", "shop/a.py": "import os\n"})

    static, _, _ = await place.static(lint=[["{python}", "lint.py"], ["ruff", "check", "--select=F401", "shop"]])

    assert [row["issues"] for row in static["tools"]] == [0, 1]
    assert not (place.tree / "ruff.toml").exists()
    assert [path.name for path in place.scratch.glob("static-*/tree-*")] == []


async def test_a_projects_own_packages_are_taken_from_the_tree(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    head = commit(repo, {"package.json": "{}", "packages/a/package.json": "{}", "packages/a/a.js": "now"})
    write(repo, {"node_modules/left/index.js": "", "packages/a/node_modules/pad/index.js": "", "node_modules/@x/y": ""})
    (repo / "node_modules/@x/a").symlink_to("../../packages/a")
    write(repo, {"packages/a/a.js": "later"})

    tree = await tree_at(repo, head, tmp_path / "place")
    await lend(tree, installed(project(repo), repo, by_a_model=False))

    assert (tree / "node_modules/left/index.js").is_file()
    assert (tree / "packages/a/node_modules/pad/index.js").is_file()
    assert (tree / "node_modules/@x/a/a.js").read_text() == "now"
    assert git(tree, "rev-parse", "HEAD") == head


async def test_programs_that_the_branch_has_committed_are_its_own(tmp_path: Path) -> None:
    head = commit(tmp_path / "repo", {"node_modules/a.js": "committed"})
    write(tmp_path / "other", {"node_modules/a.js": "lent"})

    tree = await tree_at(tmp_path / "repo", head, tmp_path / "place")
    await lend(tree, Installed({"node_modules": tmp_path / "other"}))

    assert (tree / "node_modules/a.js").read_text() == "committed"


async def test_a_baseline_that_git_ignores_accepts_nothing(place: Place) -> None:
    with (place.tree / ".secrets.baseline").open("wb") as sparse:
        sparse.truncate(40 * 2**30)

    row = (await place.security())["detect-secrets"]

    assert (row["status"], row["note"]) == ("measured", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 100_000, "nothing is accepted by .secrets.baseline, which is no baseline that detect-secrets wrote"),
        (json.dumps({"results": {"a": ["b"]}}), "nothing is accepted by .secrets.baseline, which is no baseline"),
        (" " * (8 * 2**20 + 1), ".secrets.baseline has more than 8,388,608 bytes and is not read; remove it"),
    ],
)
async def test_a_baseline_that_cannot_be_read_is_told(place: Place, text: str, expected: str) -> None:
    (place.tree / ".secrets.baseline").write_text(text)
    git(place.tree, "add", "-f", ".secrets.baseline")
    git(place.tree, "commit", "-q", "-m", "A baseline")

    row = (await place.security())["detect-secrets"]

    assert row["note"].startswith(expected)
