from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.agents import analysers, portions
from core.agents.analyser_output import read
from core.agents.analysers import Analysis, analyse
from core.agents.findings import Finding, added
from core.agents.trees import tree_at
from core.contract import Json
from core.projects.commands import CommandResult
from tests.unit.git_project import commit, git, project

UNUSED = "import os\n"
UNDEFINED = "print(nowhere)\n"


@dataclass(frozen=True)
class Place:
    repo: Path
    scratch: Path

    async def analyse(self, base: str, *, tech: Json | None = None, **settings: object) -> Analysis:
        shown = project(self.repo, base, tech=tech, **settings)
        return await analyse(shown, self.repo, self.scratch, base)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "scratch").mkdir()
    return Place(tmp_path / "repo", tmp_path / "scratch")


class TestWithoutAConfiguredAnalyser:
    async def test_ruff_looks_at_the_changed_files_only(self, place: Place) -> None:
        base = commit(place.repo, {"old.py": UNDEFINED, "mine.py": ""})
        commit(place.repo, {"mine.py": UNDEFINED})
        done = await place.analyse(base)
        assert done.payload["static"]["issues"] == 1
        assert done.payload["findings"] == [
            {"tool": "ruff", "path": "mine.py", "line": 1, "code": "F821", "text": "Undefined name `nowhere`"}
        ]
        tool = done.payload["static"]["tools"][0]
        assert (tool["name"], tool["exit_code"], bool(tool["version"])) == ("ruff", 1, True)

    @pytest.mark.parametrize(
        ("text", "code"),
        [("def f(:\n", "syntax"), ("print(nowhere)\n", "F821"), ("return 1\n", "F706"), ("1 is 1\n", "F632")],
    )
    async def test_what_is_an_error_to_everybody_is_found(self, place: Place, text: str, code: str) -> None:
        base = commit(place.repo, {"README.md": "# It\n"})
        commit(place.repo, {"mine.py": text})
        found = (await place.analyse(base)).payload["findings"]
        assert code in {row["code"] for row in found} or "invalid-syntax" in {row["code"] for row in found}

    @pytest.mark.parametrize("text", ["import sys\nimport os\n\nprint(os, sys)\n", UNUSED, "l = lambda: 1; l()\n"])
    async def test_a_style_that_nobody_chose_is_none(self, place: Place, text: str) -> None:
        base = commit(place.repo, {"README.md": "# It\n"})
        commit(place.repo, {"mine.py": text})
        done = await place.analyse(base)
        assert done.payload["static"]["issues"] == 0
        assert done.payload["static"]["tools"][0]["note"] == (
            "by ruff's rules for errors; the project configures no analyser (`apm project set repo --lint …`)"
        )

    async def test_what_was_there_before_is_set_apart(self, place: Place) -> None:
        base = commit(place.repo, {"mine.py": UNDEFINED})
        commit(place.repo, {"mine.py": f"x = 1\n\n{UNDEFINED}print(elsewhere)\n"})
        done = await place.analyse(base)
        assert (done.payload["static"]["issues"], done.payload["static"]["existing"]) == (1, 1)
        assert done.payload["findings"][0]["text"] == "Undefined name `elsewhere`"

    async def test_many_findings_are_compared_beside_the_event_loop(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: list[threading.Thread] = []

        def watched(*given: Any) -> tuple[list[Finding], list[Finding]]:
            threads.append(threading.current_thread())
            return added(*given)

        monkeypatch.setattr(analysers, "added", watched)
        base = commit(place.repo, {"mine.py": ""})
        commit(place.repo, {"mine.py": UNDEFINED})
        assert (await place.analyse(base)).payload["static"]["issues"] == 1
        assert threads
        assert threading.current_thread() not in threads

    async def test_a_renamed_file_takes_its_findings_along(self, place: Place) -> None:
        base = commit(place.repo, {"old.py": UNDEFINED})
        commit(place.repo, {"new.py": UNDEFINED}, remove=("old.py",))
        done = await place.analyse(base)
        assert (done.payload["static"]["issues"], done.payload["static"]["existing"]) == (0, 1)

    async def test_more_files_than_a_command_line_takes_are_read_in_portions(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(portions, "FILES_AT_ONCE", 2)
        base = commit(place.repo, {"a.py": UNDEFINED})
        commit(place.repo, {"a.py": f"{UNDEFINED}\n", **dict.fromkeys(("b.py", "c.py", "d.py", "e.py"), UNDEFINED)})
        done = await place.analyse(base)
        assert (done.payload["static"]["issues"], done.payload["static"]["existing"]) == (4, 1)
        assert {row["path"] for row in done.payload["findings"]} == {"b.py", "c.py", "d.py", "e.py"}
        assert [len(row["command"]) for row in done.evidence] == [
            len(done.evidence[2]["command"]) + n for n in (1, 1, 0)
        ]

    async def test_a_branch_without_code_has_nothing_to_read(self, place: Place) -> None:
        base = commit(place.repo, {"old.py": UNDEFINED, "old.js": ""})
        commit(place.repo, {"notes.md": "# Notes\n"}, remove=("old.js",))
        done = await place.analyse(base)
        assert (done.payload["static"]["issues"], done.missing) == (0, ())
        tool = done.payload["static"]["tools"][0]
        assert (tool["status"], "no file that it reads" in tool["note"]) == ("not applicable", True)

    @pytest.mark.parametrize(
        ("path", "command"),
        [
            ("index.js", "npx --no-install eslint ."),
            ("src/cart.test.tsx", "npx --no-install eslint ."),
            ("cart.go", "go vet ./..."),
            ("src/lib.rs", "cargo clippy -- -D warnings"),
        ],
    )
    async def test_code_of_another_language_asks_for_an_analyser(self, place: Place, path: str, command: str) -> None:
        base = commit(place.repo, {"README.md": "# It\n"})
        commit(place.repo, {path: ""})
        done = await place.analyse(base)
        assert [tool["status"] for tool in done.payload["static"]["tools"]] == ["not measured"]
        assert done.missing == (f"static analysis of {path}: the project configures no analyser that reads it",)
        assert f"apm project set repo --lint '{command}'" in done.suggestion

    async def test_the_oldest_supported_python_is_respected(self, place: Place) -> None:
        base = commit(place.repo, {"pyproject.toml": '[project]\nrequires-python = ">=3.13"\n'})
        commit(place.repo, {"mine.py": "type Name = str\n"})
        assert (await place.analyse(base)).payload["static"]["issues"] == 0

    async def test_a_module_in_the_repository_is_not_taken_for_the_tool(self, place: Place) -> None:
        base = commit(place.repo, {"a.txt": "a"})
        commit(place.repo, {"ruff.py": "print('[]')\n", "ruff/__main__.py": "print('[]')\n", "mine.py": UNDEFINED})
        assert (await place.analyse(base)).payload["static"]["issues"] == 1


RUFF: Json = {"analysers": [{"name": "ruff", "argv": ["{python}", "-m", "ruff", "check", "."]}]}


class TestWithAConfiguredAnalyser:
    CONFIG = '[tool.ruff.lint]\nselect = ["F", "D100"]\n'

    async def test_it_runs_with_the_projects_configuration_on_all_of_it(self, place: Place) -> None:
        base = commit(place.repo, {"pyproject.toml": self.CONFIG, "old.py": UNUSED})
        commit(place.repo, {"mine.py": ""})
        done = await place.analyse(base, tech=RUFF)
        assert [(row["path"], row["code"]) for row in done.payload["findings"]] == [("mine.py", "D100")]
        assert done.payload["static"]["existing"] == 2

    async def test_a_broken_configuration_is_no_clean_bill(self, place: Place) -> None:
        base = commit(place.repo, {"pyproject.toml": "[tool.ruff]\nno-such-key = 1\n", "old.py": ""})
        done = await place.analyse(base, tech=RUFF)
        assert done.payload["static"]["issues"] == 1
        assert done.payload["findings"][0]["code"] == "could-not-run"

    @pytest.mark.parametrize(
        ("rest", "limits", "says"),
        [
            ("kill -9 $$", {}, "sh was killed by signal 9"),
            ("sleep 60", {"TOOL_SECONDS": 0.5}, "sh was stopped at its time limit"),
            ("seq 100000; exit 1", {"OUTPUT_BYTES": 4_096}, "sh printed more than"),
        ],
    )
    async def test_one_that_did_not_get_to_its_end_is_no_clean_bill(
        self, place: Place, monkeypatch: pytest.MonkeyPatch, rest: str, limits: dict[str, float], says: str
    ) -> None:
        for name, value in limits.items():
            monkeypatch.setattr(analysers, name, value)
        script = f"#!/bin/sh\necho 'old.py:1: an old one'\n{rest}\n"
        base = commit(place.repo, {"checker.sh": script, "old.py": ""})
        commit(place.repo, {"mine.py": ""})
        done = await place.analyse(base, lint=[["sh", "checker.sh"]], tech={})
        assert done.payload["static"]["issues"] == 1
        assert (done.payload["findings"][0]["code"], says in done.payload["findings"][0]["text"]) == (
            "could-not-run",
            True,
        )

    async def test_the_settings_commands_take_the_place_of_what_was_detected(self, place: Place) -> None:
        base = commit(place.repo, {"a.py": UNUSED, "b.py": "x=1\n"})
        lint = [["ruff", "format", "--check", "b.py"], ["ruff", "check", "b.py"]]
        done = await place.analyse(base, tech=RUFF, lint=lint)
        assert [tool["name"] for tool in done.payload["static"]["tools"]] == ["ruff", "ruff (2)"]
        assert (done.payload["static"]["issues"], done.payload["static"]["existing"]) == (0, 1)

    async def test_one_that_is_not_installed_is_missing(self, place: Place) -> None:
        base = commit(place.repo, {"a.py": ""})
        tech = {"analysers": [{"name": "pylint", "argv": ["pylint", "a.py"]}, {"name": "x", "argv": ["no-such", "."]}]}
        done = await place.analyse(base, tech=tech)
        assert len(done.missing) == 2
        assert done.payload["static"]["issues"] is None
        assert "-m pip install pylint" in done.suggestion
        assert "Install no-such" in done.suggestion

    async def test_tools_are_known_by_their_own_names(self, place: Place) -> None:
        base = commit(place.repo, {"a.py": ""})
        lint = [["npx", "--no-install", "no-such-eslint", "."], ["python", "-m", "ruff", "check"], ["mypy", "-m", "a"]]
        done = await place.analyse(base, lint=lint)
        names = {tool["name"]: tool["exit_code"] for tool in done.payload["static"]["tools"]}
        assert (names["ruff"], names["mypy"]) == (0, 0)
        assert "no-such-eslint" in names

    async def test_nothing_is_left_in_the_worktree(self, place: Place) -> None:
        base = commit(place.repo, {"a.py": "x: int = 'text'\n"})
        tech = {"analysers": [{"name": "mypy", "argv": ["mypy", "."]}, *RUFF["analysers"]]}
        done = await place.analyse(base, tech=tech)
        assert done.payload["static"]["existing"] == 1
        assert git(place.repo, "status", "--porcelain", "--ignored") == ""


def result(stdout: str, stderr: str = "", exit_code: int = 1) -> CommandResult:
    return CommandResult(("tool",), "/p", exit_code, stdout, stderr, 0.1, 0, False, False, "0" * 64, False)


@pytest.mark.parametrize(
    ("tool", "output", "expected"),
    [
        ("flake8", "./a b.py:3:1: F401 'os' imported but unused", ("a b.py", 3, "F401", "'os' imported but unused")),
        ("mypy", "a.py:7: error: Name 'x' [is] odd  [name-defined]", ("a.py", 7, "name-defined", "Name 'x' [is] odd")),
        ("mypy", "a.py:7:12: error: Missing", ("a.py", 7, "", "Missing")),
        ("mypy", "b.py: error: Duplicate module named 'b'", ("b.py", 0, "", "Duplicate module named 'b'")),
        (
            "black",
            "would reformat /p/a.py\nOh no!",
            ("a.py", 0, "", "the file is not formatted as the project's formatter would"),
        ),
        ("isort", "ERROR: /p/a.py Imports are incorrectly sorted.", ("a.py", 0, "", "Imports are incorrectly sorted.")),
        ("pylint", "a.py:1:0: C0114: Missing docstring", ("a.py", 1, "C0114", "Missing docstring")),
        ("ruff", "Would reformat: a.py", ("a.py", 0, "", "the file is not formatted as the project's formatter would")),
        ("ruff", "a.py:1:8: F401 [*] `os` unused", ("a.py", 1, "F401", "[*] `os` unused")),
        ("tsc", "src/a.ts(3,5): error TS2322: Type 'x'.", ("src/a.ts", 3, "TS2322", "Type 'x'.")),
        (
            "eslint",
            '[{"filePath": "/p/a.js", "messages": [{"ruleId": "no-x", "severity": 2, "message": "No.", "line": 4},'
            ' {"ruleId": "warned", "severity": 1, "message": "Hm.", "line": 5}]}]',
            ("a.js", 4, "no-x", "No."),
        ),
        ("something-else", "a.c:12:3: warning: odd", ("a.c", 12, "", "warning: odd")),
    ],
)
def test_findings_in_the_words_of_each_tool(tool: str, output: str, expected: tuple[str, int, str, str]) -> None:
    found = read(tool, result(output), Path("/p"))
    assert [(item.path, item.line, item.code, item.text) for item in found] == [expected]


def test_exit_code_zero_is_the_tools_word_for_clean() -> None:
    assert read("eslint", result("a.js:1: warning", exit_code=0), Path("/p")) == []


def test_text_of_a_tool_cannot_command_a_terminal() -> None:
    found = read("flake8", result("a.py:1:1: F1 \x1b]52;c;eA==\x07evil\x1b[31m"), Path("/p"))
    assert found[0].text == "evil"


def item(path: str = "a.py", text: str = "t", *, blames_tool: bool = False) -> Finding:
    return Finding("x", path, 1, "C", text, blames_tool=blames_tool)


def test_each_earlier_finding_excuses_one(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    new, existing = added([item(), item(), item(text="on line 9")], [item(), item(text="on line 3")], tmp_path)
    assert (len(new), len(existing)) == (1, 2)


def test_a_tool_that_could_not_run_is_never_excused(tmp_path: Path) -> None:
    broken = item(blames_tool=True)
    assert added([broken], [broken], tmp_path) == ([broken], [])


async def test_the_base_is_whole_also_where_archives_would_not_be(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    base = commit(repo, {".gitattributes": "secret.py export-ignore\n", "secret.py": "x = 1\n", "ä b.py": ""})
    commit(repo, {}, remove=("secret.py",))
    tree = await tree_at(repo, base, tmp_path)
    assert (tree / "secret.py").read_text() == "x = 1\n"
    assert (tree / "ä b.py").exists()
    assert git(repo, "status", "--porcelain") == ""
