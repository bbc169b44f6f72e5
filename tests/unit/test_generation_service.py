"""Generation as it is asked for: which providers and agents, the same bytes everywhere, and what the rows remember."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.contract import UsageError
from core.registry.generation.providers import names
from core.registry.generation.recording import record
from core.registry.generation.service import generate
from core.store import reads
from core.workspace import Workspace
from tests.fresh import fresh_workspace
from tests.unit.generation_team import SMALL, read_team, registry, row, team

CHECKOUT = Path(__file__).resolve().parents[2]


def digest(root: Path) -> str:
    """Of every path and byte below a folder."""
    found = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def test_without_a_name_the_default_provider_is_meant(tmp_path: Path) -> None:
    reports = generate(team(), tmp_path)

    assert [report.provider for report in reports] == ["claude-code"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".apm", ".claude"]


def test_all_means_every_provider_and_a_second_run_finds_nothing_to_do(tmp_path: Path) -> None:
    reports = generate(registry(), tmp_path, every=True)

    assert [report.provider for report in reports] == list(names())
    assert all(report.refused == () for report in reports)
    assert [report.drifted for report in generate(registry(), tmp_path, every=True, check=True)] == [()] * len(names())


def test_only_some_roles(tmp_path: Path) -> None:
    generate(team(), tmp_path, roles=["ac-writer"])

    assert [p.name for p in tmp_path.rglob("*.md")] == ["ac-writer.md"]


def test_some_roles_make_no_orphans_of_the_others(tmp_path: Path) -> None:
    generate(team(), tmp_path)

    report = generate(team(), tmp_path, roles=["ac-writer"], prune=True)[0]

    assert [(file.role, file.status) for file in report.files] == [("ac-writer", "unchanged")]
    assert len(list(tmp_path.rglob("*.md"))) == len(SMALL)


def test_all_with_roles_leaves_the_section_about_the_team_alone(tmp_path: Path) -> None:
    generate(team(), tmp_path, every=True, roles=["ac-writer"])

    assert not (tmp_path / "AGENTS.md").exists()
    assert (tmp_path / ".codex/agents/ac-writer.toml").is_file()


def test_who_may_be_asked_does_not_depend_on_whose_file_is_made(tmp_path: Path) -> None:
    generate(team(), tmp_path, roles=["master-orchestrator"])

    text = (tmp_path / ".claude/agents/master-orchestrator.md").read_text(encoding="utf-8")
    assert "Agent(definition-orch, technical)" in text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"roles": ["ac-writr"]}, "There is no agent 'ac-writr' among those to generate; did you mean 'ac-writer'"),
        ({"providers": ["codx"]}, "There is no provider 'codx'; did you mean 'codex'"),
        ({"providers": ["codex"], "every": True}, "leave one of the two out"),
    ],
)
def test_a_name_that_is_not_known_is_said_before_anything_is_written(
    tmp_path: Path, asked: dict[str, list[str]], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        generate(team(), tmp_path, **asked)  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


def test_one_provider_that_fails_keeps_all_from_being_written(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="copilot: ac-writer has a body"):
        generate(team(row("ac-writer", sop_content="x" * 30_001)), tmp_path, providers=["claude-code", "copilot"])

    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    generate(team(), tmp_path / "new/folder")

    assert (tmp_path / "new/folder/.claude/agents/master-orchestrator.md").is_file()


def test_a_diff_is_given_when_it_is_asked_for(tmp_path: Path) -> None:
    without = generate(team(), tmp_path, check=True)[0]
    report = generate(team(), tmp_path, check=True, diff=True)[0]

    assert without.diffs == ()
    assert '+name: "ac-writer"\n' in dict(report.diffs)[".claude/agents/sub-agents/ac-writer.md"]


def test_the_report_as_json(tmp_path: Path) -> None:
    shown = generate(team(row("ac-writer")), tmp_path)[0].to_json()
    path = ".claude/agents/sub-agents/ac-writer.md"

    assert json.loads(json.dumps(shown)) == {
        "provider": "claude-code",
        "root": str(tmp_path),
        "files": [{"path": path, "role": "ac-writer", "status": "new"}],
        "written": [path],
        "pruned": [],
        "refused": [],
    }


STABLE = """
import sys
from pathlib import Path
from core.registry.generation.service import generate
from tests.unit.generation_team import registry
generate(registry(), Path(sys.argv[1]), every=True)
"""


def test_the_same_bytes_whatever_hash_seed_time_zone_language_and_folder(tmp_path: Path) -> None:
    machines = [("0", "UTC", "C.UTF-8", CHECKOUT), ("4242", "Pacific/Kiritimati", "C", tmp_path)]
    for n, (seed, zone, language, folder) in enumerate(machines):
        clean = {"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"]}
        environment = clean | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        root = str(tmp_path / f"out{n}")
        subprocess.run([sys.executable, "-c", STABLE, root], cwd=folder, env=environment, check=True)

    assert digest(tmp_path / "out0") == digest(tmp_path / "out1")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("everything")
    generate(registry(), root, every=True)
    return root


def test_nothing_of_this_machine_stands_in_a_file(everything: Path) -> None:
    marks = (str(CHECKOUT).encode(), str(everything).encode())

    assert [p for p in everything.rglob("*") if p.is_file() and any(m in p.read_bytes() for m in marks)] == []


def test_agnix_finds_no_error_and_no_warning_in_any_provider_s_files(everything: Path) -> None:
    agnix = Path(sys.executable).with_name("agnix")

    done = subprocess.run([agnix, ".", "--format", "json"], cwd=everything, capture_output=True, text=True)
    found = json.loads(done.stdout)

    assert [d for d in found["diagnostics"] if d["level"] != "info"] == []
    assert (done.returncode, found["summary"]["errors"], found["summary"]["warnings"]) == (0, 0, 0)
    per_agent = len(registry()) * 6
    assert found["files_checked"] > per_agent, "agnix has to have looked at the files it knows the format of"


def test_agnix_would_find_what_is_wrong(tmp_path: Path) -> None:
    generate(team(), tmp_path)
    file = tmp_path / ".claude/agents/sub-agents/ac-writer.md"
    file.write_text(file.read_text(encoding="utf-8").replace("description: ", "descriptoin: "), encoding="utf-8")

    done = subprocess.run(
        [Path(sys.executable).with_name("agnix"), ".", "--format", "json"], cwd=tmp_path, capture_output=True, text=True
    )

    assert json.loads(done.stdout)["summary"]["errors"] >= 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fresh_workspace(tmp_path / "ws")


def remembered(workspace: Workspace, role: str) -> tuple[str | None, int | None]:
    found = workspace.store.read_now(lambda r: reads.agent(r, role))
    assert found is not None
    return found.file_path, found.generated_at


def test_the_row_names_the_file_and_when_it_was_made(folder: Path, tmp_path: Path) -> None:
    with Workspace.open(folder) as workspace:
        assert remembered(workspace, "ac-writer") == (None, None)
        reports = generate(read_team(workspace), tmp_path / "out", providers=["claude-code", "codex"])
        workspace.store.write_now(lambda tx: record(tx, *reports, home=reports[0].root))
        path, at = remembered(workspace, "ac-writer")

    assert path == ".claude/agents/sub-agents/ac-writer.md"
    assert at is not None


def test_a_run_that_changes_nothing_leaves_the_time(folder: Path, tmp_path: Path) -> None:
    with Workspace.open(folder) as workspace:
        for expected in (len(registry()), 0):
            reports = generate(read_team(workspace), tmp_path / "out")
            assert workspace.store.write_now(lambda tx, made=reports: record(tx, *made, home=made[0].root)) == expected  # type: ignore[misc]


def test_a_refused_file_is_not_named_and_a_pruned_one_no_more(folder: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "out/.claude/agents/sub-agents/ac-writer.md"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("theirs\n", encoding="utf-8")
    with Workspace.open(folder) as workspace:
        reports = generate(read_team(workspace), tmp_path / "out")
        workspace.store.write_now(lambda tx: record(tx, *reports, home=reports[0].root))
        assert remembered(workspace, "ac-writer") == (None, None)
        assert remembered(workspace, "estimator")[0] is not None

        fewer = generate(read_team(workspace, without="estimator"), tmp_path / "out", prune=True)
        workspace.store.write_now(lambda tx: record(tx, *fewer, home=fewer[0].root))
        assert remembered(workspace, "estimator") == (None, None)


def test_a_check_is_not_remembered(folder: Path, tmp_path: Path) -> None:
    with Workspace.open(folder) as workspace:
        reports = generate(read_team(workspace), tmp_path / "out", check=True)

        assert workspace.store.write_now(lambda tx: record(tx, *reports, home=reports[0].root)) == 0
