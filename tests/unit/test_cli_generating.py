"""`apm agents select` and `apm agents generate`: whom a project needs, and their files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.governance import authority
from tests.unit import git_project
from tests.unit.command_line import CommandLine

DJANGO = """\
    [project]
    name = "shop"
    version = "1.0"
    dependencies = ["django>=5.2", "psycopg[binary]"]
    """


@pytest.fixture
def shop(line: CommandLine, tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    views = {f"shop/views_{n}.py": "from django.http import HttpResponse\n" for n in range(3)}
    git_project.commit(path, {"pyproject.toml": DJANGO, "manage.py": "import django\n", **views})
    assert line("project", "add", path).code == 0
    return path


def files(root: Path) -> set[str]:
    return {p.name.removesuffix(".md") for p in (root / ".claude").rglob("*.md")}


class TestSelect:
    def test_says_who_and_why(self, line: CommandLine, shop: Path) -> None:
        rows = line("agents", "select", "--project", "shop", "--json").json

        assert all(set(row) == {"role", "reason"} for row in rows)
        reasons = {row["role"]: row["reason"] for row in rows}
        universal = ["context-delivery", "ac-writer", "test-runner", "quality-gatekeeper"]
        assert [reasons[role] for role in universal] == ["always"] * 4
        assert "`pyproject.toml`" in reasons["django-backend-implementer"]
        assert {"python-implementer", "django-tester", "aipm-database-developer"} <= set(reasons)
        assert not {"react-tester", "go-implementer", "django-api-integrator"} & set(reasons)

    def test_takes_the_only_project_there_is_and_asks_where_there_are_two(
        self, line: CommandLine, shop: Path, tmp_path: Path
    ) -> None:
        assert line("agents", "select").out.splitlines()[0].split() == ["ROLE", "REASON"]
        git_project.commit(tmp_path / "other", {"go.mod": "module x\n"})
        line("project", "add", tmp_path / "other")

        ended = line("agents", "select")

        assert ended.code == 2
        assert "Say which project with --project; there are other, shop." in ended.err

    def test_looks_at_a_repository_that_is_no_project(self, line: CommandLine, tmp_path: Path) -> None:
        git_project.commit(
            tmp_path / "other", {"go.mod": "module example.org/x\n\ngo 1.27\n", "main.go": "package main\n"}
        )

        rows = line("agents", "select", "--path", tmp_path / "other", "--json").json

        assert {"go-implementer", "go-tester", "go-debugger"} <= {row["role"] for row in rows}

    def test_shows_the_facts(self, line: CommandLine, shop: Path) -> None:
        facts = line("agents", "select", "--facts", "--json").json

        assert {"category": "framework", "word": "django"}.items() <= facts[
            [f["word"] for f in facts].index("django")
        ].items()
        assert "django" in line("agents", "select", "--facts").out

    def test_a_folder_that_is_no_repository_is_told(self, line: CommandLine, tmp_path: Path) -> None:
        ended = line("agents", "select", "--path", tmp_path)

        assert ended.code != 0
        assert str(tmp_path) in ended.err


class TestGenerate:
    def test_writes_the_team_of_a_project_into_its_repository(self, line: CommandLine, shop: Path) -> None:
        ended = line("agents", "generate", "--project", "shop", "--json")

        assert ended.code == 0, ended.err
        made = files(shop)
        assert {"master-orchestrator", "planning-orch", "ac-writer", "technical", "django-tester"} <= made
        assert not {"react-tester", "rails-tester"} & made
        [report] = ended.json
        assert report["provider"] == "claude-code"
        assert len(report["written"]) == len(made)
        shown = line("agents", "show", "django-tester", "--json").json
        assert shown["file_path"] == str(shop / ".claude/agents/specialists/django-tester.md")
        assert shown["generated_at"]

    def test_all_is_everybody_and_goes_into_the_workspace(self, line: CommandLine) -> None:
        assert line("agents", "generate", "--all").code == 0

        assert len(files(line.folder)) == len(line("agents", "list", "--json").json) >= 84

    def test_check_is_quiet_about_files_that_are_right_and_tells_those_that_are_not(
        self, line: CommandLine, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        words = ("agents", "generate", "--all", "--out", out)
        assert line(*words, "--check").code == 1
        assert not out.exists()
        line(*words)
        assert line(*words, "--check").code == 0

        (out / ".claude/agents/sub-agents/estimator.md").unlink()
        ended = line(*words, "--check")

        assert ended.code == 1
        assert "missing" in ended.out
        assert ".claude/agents/sub-agents/estimator.md" in ended.out

    def test_a_folder_that_no_approval_reaches_is_told_so(self, line: CommandLine, shop: Path, tmp_path: Path) -> None:
        words = ("agents", "generate", "--all", "--role", "technical", "--out")

        assert "run this again after a change of authority" in line(*words, tmp_path / "out").err
        assert line(*words, tmp_path / "out", "--check").err == ""
        assert line(*words, shop).err == ""
        assert line(*words, line.folder).err == ""

    def test_an_edited_file_is_kept_and_its_difference_shown(self, line: CommandLine, tmp_path: Path) -> None:
        out = tmp_path / "out"
        words = ("agents", "generate", "--all", "--out", out)
        line(*words)
        mine = out / ".claude/agents/sub-agents/estimator.md"
        generated = mine.read_text()
        mine.write_text(generated + "\nMy own words.\n")

        ended = line(*words)

        assert ended.code == 1
        assert "-My own words." in ended.out
        assert "estimator.md was kept" in ended.err
        assert "My own words." in mine.read_text()
        assert line(*words, "--force").code == 0
        assert mine.read_text() == generated

    def test_the_file_of_an_agent_that_is_gone_is_pruned(self, line: CommandLine, shop: Path) -> None:
        line("agents", "generate", "--all", "--out", shop)
        assert "react-tester" in files(shop)

        kept = line("agents", "generate", "--project", "shop")
        assert kept.code == 0
        assert "belong to nobody any more; --prune removes them." in kept.out
        assert "react-tester" in files(shop)
        pruned = line("agents", "generate", "--project", "shop", "--prune", "--json")

        assert any("react-tester" in path for path in pruned.json[0]["pruned"])
        assert "react-tester" not in files(shop)

    def test_domain_agents_carry_their_authority_as_it_stands_now(self, line: CommandLine, tmp_path: Path) -> None:
        words = ("agents", "generate", "--all", "--role", "technical", "--out", tmp_path)
        line(*words)
        file = tmp_path / ".claude/agents/domain/technical.md"
        assert "`new_dependency`" in file.read_text().partition("### Escalate")[0].partition("### Decide")[2]
        line.write(
            lambda tx: authority.grant(tx, "technical", "new_dependency", "escalate", by="ada", reason="for now")
        )

        assert line(*words, "--check").code == 1
        line(*words)

        decides, _, escalates = file.read_text().partition("### Decide")[2].partition("### Escalate")
        assert "`new_dependency`" in escalates
        assert "`new_dependency`" not in decides

    def test_every_provider_at_once(self, line: CommandLine, tmp_path: Path) -> None:
        reports = line("agents", "generate", "--all", "--provider", "all", "--out", tmp_path, "--json").json

        assert {report["provider"] for report in reports} == {
            *("agents-md", "claude-code", "codex", "copilot", "cursor", "cursor-agents", "gemini", "gemini-cli"),
            *("opencode", "skills"),
        }
        manifest = json.loads((tmp_path / ".apm/generated.json").read_text())
        assert len(manifest["files"]) == sum(len(report["files"]) for report in reports)

    def test_an_unknown_provider_is_answered_with_the_nearest(self, line: CommandLine, tmp_path: Path) -> None:
        ended = line("agents", "generate", "--all", "--provider", "claude-cod", "--out", tmp_path)

        assert ended.code == 2
        assert "did you mean 'claude-code'?" in ended.err

    def test_only_agents_of_a_type(self, line: CommandLine, tmp_path: Path) -> None:
        line("agents", "generate", "--all", "--type", "domain", "--type", "utility", "--out", tmp_path)

        assert files(tmp_path) == {
            *("technical", "strategy", "ux", "gtm"),
            *("evidence-writer", "workflow-updater", "decision-recorder"),
        }

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--out", ""), "it is empty; name a folder"),
            (("--check", "--prune"), "--check writes nothing"),
            (("--provider", "all", "--provider", "codex"), "leave the others out"),
        ],
    )
    def test_words_that_contradict_each_other_are_refused(
        self, line: CommandLine, words: tuple[str, ...], said: str
    ) -> None:
        ended = line("agents", "generate", "--all", *words)

        assert ended.code == 2
        assert said in ended.err

    def test_a_project_whose_folder_is_gone_is_told_with_what_to_do(
        self, line: CommandLine, shop: Path, tmp_path: Path
    ) -> None:
        shop.rename(tmp_path / "elsewhere")

        ended = line("agents", "generate", "--project", "shop")

        assert ended.code != 0
        assert "apm project set shop --path" in ended.err
