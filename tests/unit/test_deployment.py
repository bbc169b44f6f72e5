"""One merge, one tag, one deployment, wherever a kill falls."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from core.agents.deployment import DONE_FILE, INTENT_FILE, RELEASE_FILE
from core.contract import Status
from tests.unit.deployed import ROLE, files, tags
from tests.unit.git_project import git
from tests.unit.release_place import BRANCH, Place, commit_in, make_place

PLAIN = {"VERSION": "1.2.0\n", "rows.js": "export const rows = []\n"}

MARK = "import sys; print(sys.argv[2], file=open(sys.argv[1], 'a')); sys.exit(int(sys.argv[3]))"


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """A project that is no Python package, with version and changelog of the release already committed."""
    place = make_place(tmp_path, PLAIN)
    place.tech |= {"packaging": None, "package": None, "version_file": {"path": "VERSION", "kind": "VERSION"}}
    await place.prepare()
    return place


@pytest.fixture
def deploys(place: Place, tmp_path: Path) -> Path:
    """The file that the project's deploy command adds a line to, each time it runs."""
    journal = tmp_path / "deploys"
    place.settings["deploy"] = [sys.executable, "-c", MARK, str(journal), "{version}", "0"]
    return journal


def release_json(place: Place) -> Path:
    return place.bench.releases / "1.3.0" / RELEASE_FILE


class TestTheDefaultDeployment:
    async def test_merges_tags_and_archives(self, place: Place) -> None:
        head = git(place.repo, "rev-parse", BRANCH)

        response = await place.ask(ROLE)

        assert response.status is Status.SUCCESS, response.metadata
        merge = response.output_artifact["merge_commit"]
        assert git(place.repo, "rev-parse", "main") == merge
        assert git(place.repo, "show", "-s", "--format=%P", merge).split() == [place.base, head]
        assert git(place.repo, "rev-parse", "v1.3.0^{commit}") == merge
        assert "Apm-Work-Item: 7\nApm-Agent: deploy-orchestrator" in git(
            place.repo, "for-each-ref", "--format=%(contents)"
        )
        assert response.output_artifact["deployment"] == {"status": "success", "target": "main"}
        assert [artifact["path"] for artifact in response.output_artifact["artifacts"]] == ["1.3.0/repo-1.3.0.tar.gz"]
        assert (place.repo / "VERSION").read_text() == "1.3.0\n"

    async def test_asked_again_it_answers_the_same_and_writes_nothing(self, place: Place) -> None:
        first = await place.ask(ROLE)
        before = files(place.bench.releases / "1.3.0")

        second = await place.ask(ROLE)

        assert second == first
        assert files(place.bench.releases / "1.3.0") == before
        assert len(place.log("main")) == 5

    @pytest.mark.parametrize("killed", ["built", "moved", "tagged", "half-copied", "record lost"])
    async def test_a_kill_at_any_point_is_mended_by_asking_again(self, place: Place, killed: str) -> None:
        reference = (await place.ask(ROLE)).output_artifact
        release_json(place).unlink()
        if killed in ("built", "moved"):
            git(place.repo, "tag", "-d", "v1.3.0")
        if killed == "built":
            git(place.repo, "reset", "-q", "--hard", place.base)
        if killed == "half-copied":
            (place.bench.releases / "1.3.0" / ".repo-1.3.0.tar.gz").write_text("half")
            (place.bench.releases / "1.3.0" / "repo-1.3.0.tar.gz").write_text("stale")

        again = await place.ask(ROLE)

        assert again.output_artifact == reference
        assert tags(place) == ["v1.3.0"]
        assert git(place.repo, "rev-list", "--merges", "--count", "main") == "1"
        assert json.loads(release_json(place).read_text())["merge_commit"] == reference["merge_commit"]

    async def test_files_that_changed_after_the_record_are_made_again(self, place: Place) -> None:
        reference = (await place.ask(ROLE)).output_artifact
        (place.bench.releases / "1.3.0" / "repo-1.3.0.tar.gz").write_text("tampered")

        assert (await place.ask(ROLE)).output_artifact == reference

    async def test_uncommitted_changes_in_the_users_checkout_block_and_stay(self, place: Place) -> None:
        (place.repo / "rows.js").write_text("mine\n")

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert "rows.js" in response.metadata["suggestion"]
        assert (place.repo / "rows.js").read_text() == "mine\n"
        assert git(place.repo, "rev-parse", "main") == place.base
        assert tags(place) == []

        git(place.repo, "checkout", "-q", "--", "rows.js")
        assert (await place.ask(ROLE)).status is Status.SUCCESS

    async def test_the_projects_way_of_writing_tags_is_kept(self, place: Place) -> None:
        git(place.repo, "tag", "1.2.0", place.base)
        git(place.repo, "tag", "v0.1", place.base)

        assert (await place.ask(ROLE)).output_artifact["tag"] == "1.3.0"

    async def test_a_tag_that_stands_elsewhere_blocks_before_anything_moves(self, place: Place) -> None:
        git(place.repo, "tag", "v1.3.0", place.base)

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert "v1.3.0" in response.metadata["suggestion"]
        assert git(place.repo, "rev-parse", "main") == place.base

    async def test_a_target_that_moved_on_blocks(self, place: Place) -> None:
        commit_in(place.repo, {"other": "x"}, "Other work")

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert response.missing == ["a branch that contains main"]

    async def test_what_was_reviewed_is_released_with_this_releases_own_commits(self, place: Place) -> None:
        place.reviewed = git(place.repo, "rev-parse", f"{BRANCH}~2")

        assert (await place.ask(ROLE)).status is Status.SUCCESS

    async def test_a_commit_after_the_review_is_not_released(self, place: Place) -> None:
        place.reviewed = git(place.repo, "rev-parse", BRANCH)
        commit_in(place.tree, {"src/rows/late.py": "late = True\n"}, "One more thing")

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert response.missing == ["a branch that holds only what was reviewed"]
        assert git(place.repo, "rev-parse", "main") == place.base
        assert tags(place) == []

    async def test_a_branch_that_lost_the_reviewed_commit_is_not_released(self, place: Place) -> None:
        place.reviewed = commit_in(place.tree, {"src/rows/late.py": "late = True\n"}, "Reviewed, then taken back")
        git(place.tree, "reset", "-q", "--hard", "HEAD~1")

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert git(place.repo, "rev-parse", "main") == place.base

    async def test_a_merge_that_a_person_made_is_taken(self, place: Place) -> None:
        git(place.repo, "merge", "-q", "--ff-only", BRANCH)
        mine = commit_in(place.repo, {"other": "x"}, "Later work")

        response = await place.ask(ROLE)

        assert response.status is Status.SUCCESS
        assert response.output_artifact["merge_commit"] == git(place.repo, "rev-parse", BRANCH)
        assert git(place.repo, "rev-parse", "main") == mine

    async def test_needs_version_and_changelog(self, place: Place) -> None:
        del place.results["changelog-curator"]

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert response.missing == ["changelog"]

    async def test_a_repository_in_a_path_with_spaces_and_letters_of_all_kinds(self, tmp_path: Path) -> None:
        place = make_place(tmp_path / "Größe und Maß", PLAIN)
        place.tech |= {"version_file": {"path": "VERSION", "kind": "VERSION"}, "changelog": None}
        await place.prepare()

        assert (await place.ask(ROLE)).status is Status.SUCCESS


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class TestADeployCommand:
    async def test_runs_after_merge_and_tag(self, place: Place, deploys: Path) -> None:
        place.settings["deploy"] = ["git", "push", str(place.repo / "mirror"), "refs/tags/v{version}"]
        git(place.repo, "init", "-q", "--bare", "mirror")

        response = await place.ask(ROLE)

        assert response.status is Status.SUCCESS, response.metadata
        assert response.metadata["evidence"][0]["note"] == "the project's own command, not confined"
        pushed = git(place.repo / "mirror", "rev-parse", "v1.3.0^{commit}")
        assert pushed == response.output_artifact["merge_commit"] == git(place.repo, "rev-parse", "main")

    async def test_runs_once_however_often_it_is_asked_for(self, place: Place, deploys: Path) -> None:
        first = await place.ask(ROLE)

        release_json(place).unlink()
        second = await place.ask(ROLE)

        assert first.output_artifact == second.output_artifact
        assert (await place.ask(ROLE)).output_artifact == first.output_artifact
        assert deploys.read_text() == "1.3.0\n"

    async def test_that_fails_leaves_merge_and_tag_and_runs_again(self, place: Place, deploys: Path) -> None:
        place.settings["deploy"][-1] = "3"

        response = await place.ask(ROLE)

        assert response.status is Status.FAILURE
        assert "exit code 3" in response.metadata["error"]
        assert "merged and tagged v1.3.0" in response.metadata["suggestion"]
        assert tags(place) == ["v1.3.0"]

        place.settings["deploy"][-1] = "0"
        assert (await place.ask(ROLE)).status is Status.SUCCESS
        assert deploys.read_text() == "1.3.0\n1.3.0\n"

    async def test_is_given_the_variables_that_the_project_names_and_no_other(
        self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UPLOAD_TOKEN", "s3cr3t-t0ken")
        monkeypatch.setenv("OTHER_TOKEN", "not-for-you")
        show = "import os; print(os.environ.get('UPLOAD_TOKEN'), os.environ.get('OTHER_TOKEN'))"
        place.settings |= {"deploy": [sys.executable, "-c", show], "deploy_env": ["UPLOAD_TOKEN"]}

        response = await place.ask(ROLE)

        (evidence,) = response.metadata["evidence"]
        assert evidence["output_tail"].strip() == "[UPLOAD_TOKEN] None"
        everywhere = [path.read_text() for path in (place.bench.releases / "1.3.0").glob("*.json")]
        assert "s3cr3t-t0ken" not in str(response) + "".join(everywhere)

    async def test_that_lacks_a_variable_moves_nothing(self, place: Place, deploys: Path) -> None:
        place.settings["deploy_env"] = ["NOT_SET_ANYWHERE"]

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert response.missing == ["the environment variable NOT_SET_ANYWHERE"]
        assert git(place.repo, "rev-parse", "main") == place.base
        assert not deploys.exists()

    @pytest.mark.parametrize("name", ["deploy", "deployed"])
    @pytest.mark.parametrize("program", ["no-such-program-here", "./not-in-the-branch.sh", "src/rows/sorting.py"])
    async def test_that_cannot_be_started_moves_nothing(self, place: Place, name: str, program: str) -> None:
        place.settings |= {"deploy": ["true"], name: [program]}

        response = await place.ask(ROLE)

        assert (response.status, response.missing) == (Status.BLOCKED, [f"the program {program}"])
        assert response.metadata["suggestion"].startswith(f"Nothing was merged or tagged. Install {program}, or")
        assert git(place.repo, "rev-parse", "main") == place.base
        assert tags(place) == []

    async def test_of_the_branch_itself_is_started(self, place: Place) -> None:
        _script(place.tree / "deploy.sh", "echo sent")
        commit_in(place.tree, {}, "Bring the script that deploys")
        place.settings |= {"deploy": ["./deploy.sh"], "deployed": None}

        response = await place.ask(ROLE)

        assert response.status is Status.SUCCESS, response.metadata
        assert response.metadata["evidence"][0]["output_tail"].strip() == "sent"

    async def test_that_goes_after_the_merge_fails_in_words(self, place: Place, deploys: Path, tmp_path: Path) -> None:
        script = _script(tmp_path / "upload", "exit 7")
        place.settings["deploy"] = [str(script)]
        assert (await place.ask(ROLE)).status is Status.FAILURE
        script.unlink()

        response = await place.ask(ROLE)

        assert response.status is Status.FAILURE
        told = f"The deploy command could not be started: The program '{script}' was not found"
        assert told in response.metadata["error"]

    async def test_killed_within_it_asks_a_human(self, place: Place, deploys: Path) -> None:
        await self._killed_within(place, deploys)

        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert response.missing == ["deployment"]
        assert "'done'" in response.metadata["suggestion"]
        assert "'again'" in response.metadata["suggestion"]
        assert deploys.read_text() == "1.3.0\n"

    async def test_killed_within_it_and_a_human_says_done(self, place: Place, deploys: Path) -> None:
        await self._killed_within(place, deploys)
        place.answers["deployment"] = "done"

        response = await place.ask(ROLE)

        assert response.status is Status.SUCCESS
        assert response.metadata["tool"] == "human"
        assert deploys.read_text() == "1.3.0\n"

    async def test_one_answer_runs_it_once_more_and_not_twice(self, place: Place, deploys: Path) -> None:
        await self._killed_within(place, deploys)
        place.answers["deployment"] = "again"
        assert (await place.ask(ROLE)).status is Status.SUCCESS
        assert deploys.read_text() == "1.3.0\n1.3.0\n"

        await self._killed_within(place, deploys, run_it=False)
        response = await place.ask(ROLE)

        assert response.status is Status.BLOCKED
        assert "'again 2'" in response.metadata["suggestion"]
        assert deploys.read_text() == "1.3.0\n1.3.0\n"

    @pytest.mark.parametrize(("exit_code", "runs"), [("0", 1), ("1", 2)])
    async def test_killed_within_it_the_projects_own_check_decides(
        self, place: Place, deploys: Path, exit_code: str, runs: int
    ) -> None:
        await self._killed_within(place, deploys)
        place.settings["deployed"] = [sys.executable, "-c", f"raise SystemExit({exit_code})"]

        assert (await place.ask(ROLE)).status is Status.SUCCESS
        assert deploys.read_text() == "1.3.0\n" * runs

    async def test_of_another_commit_under_the_same_version_says_nothing(self, place: Place, deploys: Path) -> None:
        folder = place.bench.releases / "1.3.0"
        folder.mkdir()
        for name in (INTENT_FILE, DONE_FILE):
            (folder / name).write_text('{"merge_commit": "another", "attempt": 1, "exit_code": 0}')

        assert (await place.ask(ROLE)).status is Status.SUCCESS
        assert deploys.read_text() == "1.3.0\n"

    async def _killed_within(self, place: Place, deploys: Path, *, run_it: bool = True) -> None:
        """What is on disk when apm dies while the command runs: an intent, and no outcome."""
        if run_it:
            await place.ask(ROLE)
        (place.bench.releases / "1.3.0" / DONE_FILE).unlink()
        release_json(place).unlink()
