"""The version and the changelog of a release: each written once, however often the agent is asked."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from core.contract import Status
from tests.unit.git_project import git, write
from tests.unit.release_place import BRANCH, Place, commit_in, make_place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


class TestVersioner:
    async def test_raises_the_version_in_every_place_as_one_commit(self, place: Place) -> None:
        response = await place.ask("versioner")

        assert response.status is Status.SUCCESS
        assert response.output_artifact["version"] == {"from": "1.2.0", "to": "1.3.0"}
        assert response.output_artifact["bump"] == "minor"
        assert response.output_artifact["commit"] == git(place.tree, "rev-parse", BRANCH)
        changed = git(place.tree, "show", "--format=", "--unified=0", "HEAD").splitlines()
        assert [line for line in changed if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
            '-version = "1.2.0"  # the one place',
            '+version = "1.3.0"  # the one place',
            '-__version__ = "1.2.0"',
            '+__version__ = "1.3.0"',
        ]
        assert "Apm-Work-Item: 7\nApm-Agent: versioner" in git(place.tree, "log", "-1", "--format=%B")

    async def test_asked_again_it_answers_from_its_commit(self, place: Place) -> None:
        first = await place.ask("versioner")

        second = await place.ask("versioner")

        assert second == first
        assert place.log() == ["Version 1.3.0", "Sort rows", "start"]

    async def test_what_a_killed_run_left_uncommitted_is_thrown_away(self, place: Place) -> None:
        write(place.tree, {"pyproject.toml": '[project]\nversion = "1.3.0"\n', "half-written": "x"})

        await place.ask("versioner")

        assert git(place.tree, "show", "--format=", "--name-only", "HEAD").split() == [
            "pyproject.toml",
            "src/rows/__init__.py",
        ]

    async def test_a_version_that_the_branch_raised_already_is_taken(self, place: Place) -> None:
        mine = commit_in(place.tree, {"pyproject.toml": '[project]\nname = "rows"\nversion = "2.0.0"\n'}, "Version two")
        commit_in(place.tree, {"notes": "later"}, "Notes")

        response = await place.ask("versioner")

        assert response.output_artifact["version"] == {"from": "1.2.0", "to": "2.0.0"}
        assert response.output_artifact["commit"] == mine

    @pytest.mark.parametrize("kind", ["file", "raised by a person", "tags"])
    async def test_a_release_that_has_happened_is_not_counted_twice(self, place: Place, kind: str) -> None:
        if kind == "tags":
            place.tech["version_file"] = {"path": None, "kind": "vcs"}
            git(place.repo, "tag", "v1.2.0", place.base)
        if kind == "raised by a person":
            commit_in(place.tree, {"pyproject.toml": '[project]\nname = "rows"\nversion = "1.3.0"\n'}, "Version")
        await place.prepare()
        place.settings["deploy"] = ["true"]
        released = (await place.ask("deploy-orchestrator")).output_artifact
        first = dict(place.results)

        await place.prepare()

        assert place.results["versioner"]["version"] == first["versioner"]["version"]
        assert place.results["changelog-curator"] == first["changelog-curator"]
        assert (await place.ask("deploy-orchestrator")).output_artifact == released

    async def test_counts_from_what_the_target_has_released_meanwhile(self, place: Place) -> None:
        await place.ask("versioner")
        commit_in(
            place.repo, {"pyproject.toml": '[project]\nname = "rows"\nversion = "1.3.0"  # the one place\n'}, "Other"
        )
        git(place.tree, "merge", "-q", "-X", "theirs", "main")

        response = await place.ask("versioner")

        assert response.output_artifact["version"] == {"from": "1.3.0", "to": "1.4.0"}

    async def test_a_breaking_commit_from_the_target_does_not_count(self, place: Place) -> None:
        commit_in(place.repo, {"other": "x"}, "feat!: somebody else's break")
        git(place.tree, "merge", "-q", "--no-edit", "main")

        assert (await place.ask("versioner")).output_artifact["bump"] == "minor"

    async def test_a_breaking_commit_on_the_branch_does(self, place: Place) -> None:
        commit_in(place.tree, {"other": "x"}, "fix!: our break")

        response = await place.ask("versioner")

        assert response.output_artifact["version"]["to"] == "2.0.0"
        assert response.output_artifact["breaking"] is True

    async def test_a_humans_version_wins(self, place: Place) -> None:
        await place.ask("versioner")
        place.answers["version"] = "1.10.0"

        response = await place.ask("versioner")

        assert response.output_artifact["version"] == {"from": "1.2.0", "to": "1.10.0"}
        assert 'version = "1.10.0"' in (place.tree / "pyproject.toml").read_text()

    @pytest.mark.parametrize("answer", ["1.2.0", "1.1.9", "soon", "../../x"])
    async def test_a_humans_version_must_be_greater(self, place: Place, answer: str) -> None:
        place.answers["version"] = answer

        response = await place.ask("versioner")

        assert response.status is Status.BLOCKED
        assert response.missing == ["version"]
        assert answer in response.metadata["suggestion"]
        assert place.log() == ["Sort rows", "start"]

    async def test_a_version_whose_tag_exists_is_refused(self, place: Place) -> None:
        git(place.repo, "tag", "v1.3.0")

        response = await place.ask("versioner")

        assert response.status is Status.BLOCKED
        assert "tag v1.3.0 exists" in response.metadata["suggestion"]

    async def test_without_a_version_file_it_asks_and_takes_what_a_human_commits(self, place: Place) -> None:
        place.tech["version_file"] = None
        git(place.tree, "rm", "-q", "pyproject.toml", "src/rows/__init__.py")
        git(place.tree, "commit", "-q", "-m", "No version")

        response = await place.ask("versioner")

        assert response.status is Status.BLOCKED
        assert response.missing == ["version"]
        assert BRANCH in response.metadata["suggestion"]
        commit_in(place.tree, {"VERSION": "0.1.0\n"}, "As asked")
        assert (await place.ask("versioner")).output_artifact["version"] == {"from": "0.0.0", "to": "0.1.0"}

    async def test_without_a_version_file_a_human_may_say_the_version(self, place: Place) -> None:
        place.tech["version_file"] = None
        git(place.tree, "rm", "-q", "pyproject.toml", "src/rows/__init__.py")
        git(place.tree, "commit", "-q", "-m", "No version")
        place.answers["version"] = "0.1.0"

        response = await place.ask("versioner")

        assert response.output_artifact["version"] == {"from": "0.0.0", "to": "0.1.0"}
        assert response.output_artifact["file"] == ""

    async def test_where_tags_are_the_version_nothing_is_committed(self, place: Place) -> None:
        place.tech["version_file"] = {"path": "", "kind": "vcs"}
        git(place.repo, "tag", "v1.9.0", place.base)
        git(place.repo, "tag", "v1.10.0", place.base)
        git(place.repo, "tag", "nightly-2.5", place.base)

        response = await place.ask("versioner")

        assert response.output_artifact["version"] == {"from": "1.10.0", "to": "1.11.0"}
        assert place.log() == ["Sort rows", "start"]

    async def test_an_unpacked_sdist_without_tags_says_its_version_itself(self, tmp_path: Path) -> None:
        place = make_place(tmp_path / "sdist", {"PKG-INFO": "Metadata-Version: 2.1\nName: rows\nVersion: 3.4.5\n"})
        place.tech["version_file"] = {"path": "", "kind": "vcs"}

        assert (await place.ask("versioner")).output_artifact["version"] == {"from": "3.4.5", "to": "3.5.0"}

    async def test_a_broken_version_file_is_named(self, place: Place) -> None:
        commit_in(place.tree, {"pyproject.toml": "[project"}, "Break")

        response = await place.ask("versioner")

        assert response.status is Status.BLOCKED
        assert response.metadata["suggestion"].startswith("pyproject.toml cannot be read as pyproject")

    async def test_an_ignored_copy_of_the_version_is_left_alone(self, place: Place) -> None:
        commit_in(place.tree, {".gitignore": "_version.py\n"}, "Ignore")
        write(place.tree, {"src/rows/_version.py": '__version__ = "1.2.0"\n'})

        await place.ask("versioner")

        assert (place.tree / "src/rows/_version.py").read_text() == '__version__ = "1.2.0"\n'


class TestChangelogCurator:
    async def test_writes_the_entry_dated_by_the_versions_commit(self, place: Place) -> None:
        version = (await place.ask("versioner")).output_artifact["commit"]

        response = await place.ask("changelog-curator")

        day = git(place.tree, "show", "-s", "--format=%cs", version)
        assert response.output_artifact["changelog"] == {
            "updated": True,
            "entry": "- Sort rows by a column\n  - Numbers sort by value",
        }
        assert (
            f"## [1.3.0] - {day}\n\n### Added\n\n- Sort rows by a column\n" in (place.tree / "CHANGELOG.md").read_text()
        )
        assert response.output_artifact["commit"] == git(place.tree, "rev-parse", BRANCH)

    async def test_asked_again_it_answers_from_its_commit(self, place: Place) -> None:
        await place.ask("versioner")
        first = await place.ask("changelog-curator")

        second = await place.ask("changelog-curator")

        assert second == first
        assert place.log() == ["Changelog of 1.3.0", "Version 1.3.0", "Sort rows", "start"]

    async def test_a_kill_before_the_commit_gives_the_same_commit_content(self, place: Place) -> None:
        await place.ask("versioner")
        write(place.tree, {"CHANGELOG.md": "# Changelog\n\n## [1.3.0] - half"})

        await place.ask("changelog-curator")

        assert "## [1.2.0] - 2026-01-31" in (place.tree / "CHANGELOG.md").read_text()

    async def test_a_project_without_a_changelog_gets_one(self, place: Place) -> None:
        git(place.tree, "rm", "-q", "CHANGELOG.md")
        git(place.tree, "commit", "-q", "-m", "No changelog")
        place.tech["changelog"] = None
        await place.ask("versioner")

        response = await place.ask("changelog-curator")

        assert response.output_artifact["file"] == "CHANGELOG.md"
        assert "## [1.3.0]" in git(place.tree, "show", "HEAD:CHANGELOG.md")

    async def test_a_changelog_that_git_ignores_blocks(self, place: Place) -> None:
        git(place.tree, "rm", "-q", "CHANGELOG.md")
        commit_in(place.tree, {".gitignore": "CHANGELOG.md\n"}, "Ignore")
        await place.ask("versioner")

        response = await place.ask("changelog-curator")

        assert response.status is Status.BLOCKED
        assert "git ignores CHANGELOG.md" in response.metadata["suggestion"]

    async def test_waits_for_the_version(self, place: Place) -> None:
        response = await place.ask("changelog-curator")

        assert response.status is Status.BLOCKED
        assert response.missing == ["version"]


class TestIncidentScribe:
    async def test_records_what_happened_and_when(self, place: Place) -> None:
        place.tech["packaging"] = None
        git(place.tree, "rm", "-q", "pyproject.toml")
        commit_in(place.tree, {"VERSION": "1.2.0\n"}, "No package")
        place.tech["version_file"] = {"path": "VERSION", "kind": "VERSION"}
        await place.prepare()
        await place.ask("deploy-orchestrator")
        await place.ask("health-verifier")

        response = await place.ask("incident-scribe")

        record = place.bench.releases / response.output_artifact["record"]
        content = record.read_bytes()
        events = json.loads(content)["events"]
        assert [event["event"] for event in events] == ["bump", "changelog", "merge", "tag", "deploy", "health"]
        assert all(event["at"] and event["evidence"] for event in events)
        assert (await place.ask("incident-scribe")) == response
        assert record.read_bytes() == content

    async def test_has_nothing_to_say_without_a_release(self, place: Place) -> None:
        assert (await place.ask("incident-scribe")).status is Status.BLOCKED


@pytest.mark.parametrize("role", ["versioner", "changelog-curator", "deploy-orchestrator", "health-verifier"])
async def test_a_work_item_without_a_project_has_no_release(place: Place, role: str) -> None:
    place.bench = dataclasses.replace(place.bench, worktree=None)

    response = await place.ask(role)

    assert response.status is Status.BLOCKED
    assert response.missing == ["project"]
