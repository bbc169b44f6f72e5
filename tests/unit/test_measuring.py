"""Which changes of a branch change how the branch is measured, and whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.agents.confined import MAIL
from core.agents.measuring import Change, changed_parts, changes
from core.agents.security import screen
from core.projects import git
from tests.unit.git_project import commit, project

COVERAGE = '[tool.coverage.run]\nomit = ["a.py"]\n'


@pytest.mark.parametrize(
    ("path", "before", "now", "parts"),
    [
        ("pyproject.toml", "", COVERAGE, ["tool.coverage"]),
        ("pyproject.toml", COVERAGE, "[project]\nname = 'a'\n" + COVERAGE, []),
        ("pyproject.toml", COVERAGE, COVERAGE.replace("a.py", "src/*"), ["tool.coverage"]),
        (
            "pyproject.toml",
            "[tool.ruff]\nselect = ['S']\n[tool.bandit]\nskips = []\n",
            "",
            ["tool.bandit", "tool.ruff"],
        ),
        ("pyproject.toml", COVERAGE, "[[[", [""]),
        ("pyproject.toml", "tool = 1", "tool = 2", []),
        ("lib/setup.cfg", "[metadata]\nname=a\n", "[metadata]\nname=b\n[coverage:run]\nomit=*\n", ["coverage:run"]),
        ("tox.ini", "[tool:isort]\na=1\n", "[tool:isort]\na=2\n", ["tool:isort"]),
        ("tox.ini", "[tox]\na=1\n", "no section", [""]),
        ("package.json", '{"version": "1"}', '{"version": "2"}', []),
        ("package.json", '{"version": "1"}', '{"version": "2", "jest": {}}', ["jest"]),
        ("package.json", "{}", "[" * 100_000, [""]),
        (".coveragerc", "", "[run]\n", [""]),
        ("src/ruff.toml", "a", "a", []),
    ],
)
def test_what_counts_as_a_change_of_the_measuring(path: str, before: str, now: str, parts: list[str]) -> None:
    assert changed_parts(path, before, now) == parts


async def test_a_change_is_whose_commit_was_the_last_to_the_file(tmp_path: Path) -> None:
    base = commit(tmp_path, {"pyproject.toml": "[project]\nname = 'a'\n", "src/a.py": ""})
    commit(tmp_path, {"pyproject.toml": COVERAGE, ".bandit": "skips = B602\n", "src/a.py": "b = 1\n"})
    (tmp_path / ".coveragerc").write_text("[run]\nomit = *\n")
    await git.add_all_and_commit(tmp_path, "Coverage", author=f"code-implementer <{MAIL}>")
    paths = [path for _, path in await git.changed_files(tmp_path, base)]

    found = await changes(tmp_path, base, paths)

    assert [(c.place, c.by_model) for c in found] == [
        (".bandit", False),
        (".coveragerc", True),
        ("pyproject.toml [tool.coverage]", False),
    ]
    assert Change(".coveragerc", "", "code-implementer", True) in found


async def test_a_person_who_commits_to_it_stands_for_what_a_model_has_changed(tmp_path: Path) -> None:
    base = commit(tmp_path, {"a.py": ""})
    (tmp_path / ".coveragerc").write_text("[run]\nomit = *\n")
    await git.add_all_and_commit(tmp_path, "Coverage", author=f"code-implementer <{MAIL}>")
    commit(tmp_path, {".coveragerc": "[run]\n# Generated code.\nomit = *\n"})

    assert [c.by_model for c in await changes(tmp_path, base, [".coveragerc"])] == [False]


async def test_what_was_put_back_is_no_change(tmp_path: Path) -> None:
    base = commit(tmp_path, {"pyproject.toml": COVERAGE})
    commit(tmp_path, {"pyproject.toml": ""})
    commit(tmp_path, {"pyproject.toml": "# as it was\n" + COVERAGE})

    assert await changes(tmp_path, base, ["pyproject.toml"]) == ()


@pytest.mark.parametrize(("author", "counted"), [("Ada <ada@example.org>", 0), (f"code-implementer <{MAIL}>", 1)])
async def test_at_the_gate_a_models_change_is_a_finding_and_a_persons_is_named(
    tmp_path: Path, author: str, counted: int
) -> None:
    repo, scratch = tmp_path / "repo", tmp_path / "scratch"
    scratch.mkdir()
    base = commit(repo, {"src/a.py": ""})
    (repo / ".coveragerc").write_text("[run]\nomit = *\n")
    await git.add_all_and_commit(repo, "Coverage", author=author)

    done = await screen(project(repo, base), repo, scratch, base)

    found = done.payload["security"]
    assert found["findings"] == counted
    assert [(row["tool"], row["path"]) for row in found["details"]] == [("settings", ".coveragerc")] * counted
    name = author.partition(" <")[0]
    assert found["settings"] == [{"place": ".coveragerc", "author": name, "by_model": bool(counted)}]
    assert done.evidence[0]["note"] == f"the branch changes how it is measured: .coveragerc by {name}"
