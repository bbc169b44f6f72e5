"""Generation where something is in the way: nothing outside is touched, and nothing is ever half there."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.registry.generation import disk
from core.registry.generation.rendering import GenerationError, digest_of_text
from core.registry.generation.service import generate
from tests.unit.generation_team import TRIAGE, TWO, WRITER, contents, made, row, statuses, team

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = WRITER.parent


@pytest.mark.parametrize("link", [".claude", ".claude/agents", ".apm"])
def test_a_folder_that_leads_outside_is_not_followed(tmp_path: Path, link: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / link).parent.mkdir(parents=True)
    outside.mkdir()
    (root / link).symlink_to(outside)

    with pytest.raises(GenerationError, match=r"leads through a link to .*outside"):
        made(root)

    assert list(outside.rglob("*")) == []


def test_a_file_that_is_a_link_to_one_outside_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "precious.txt"
    (root / FOLDER).mkdir(parents=True)
    outside.write_text("precious\n", encoding="utf-8")
    (root / WRITER).symlink_to(outside)

    with pytest.raises(GenerationError, match="outside"):
        made(root, force=True)

    assert outside.read_text(encoding="utf-8") == "precious\n"


def test_a_link_that_goes_in_a_circle_is_said(tmp_path: Path) -> None:
    (tmp_path / ".claude").symlink_to(tmp_path / ".claude")

    with pytest.raises(GenerationError, match=r"\.claude"):
        made(tmp_path)


def test_a_link_inside_the_folder_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / ".claude").symlink_to("house")

    made(tmp_path)

    assert (tmp_path / ".claude").is_symlink()
    assert (tmp_path / "house/agents/sub-agents/ac-writer.md").is_file()
    assert set(statuses(made(tmp_path)).values()) == {"unchanged"}


def test_where_a_folder_cannot_be_made_no_file_is_written(tmp_path: Path) -> None:
    (tmp_path / ".codex").write_text("a file\n", encoding="utf-8")

    with pytest.raises(GenerationError, match=r"\.codex"):
        generate(TWO, tmp_path, providers=["codex"])

    assert sorted(contents(tmp_path)) == [".codex"]


def test_a_folder_in_a_file_s_place_is_said(tmp_path: Path) -> None:
    (tmp_path / WRITER).mkdir(parents=True)

    with pytest.raises(GenerationError, match=r"ac-writer\.md"):
        made(tmp_path)

    assert not (tmp_path / TRIAGE).exists()


def test_a_pipe_in_a_file_s_place_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    os.mkfifo(tmp_path / WRITER)

    with pytest.raises(GenerationError, match="is no regular file"):
        made(tmp_path)


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / WRITER).chmod(0o600)

    made(tmp_path, sop="Other.\n")

    assert (tmp_path / WRITER).stat().st_mode & 0o777 == 0o600


RUN = """
import os, signal, sys
from pathlib import Path
from core.registry.generation.service import generate
from tests.unit.generation_team import row, team

count = 0
def at_rename(event, args):
    global count
    if event == "os.rename":
        count += 1
        if count == {at}:
            {act}

sys.addaudithook(at_rename)
agents = team(row("ac-writer", sop_content="New.\\n"), row("intent-triage", sop_content="New.\\n"))
generate(agents, Path(sys.argv[1]), force=True)
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
FULL = 'raise OSError(28, "No space left on device", str(args[1]))'


def run(root: Path, at: int, act: str) -> subprocess.CompletedProcess[str]:
    code = RUN.format(at=at, act=act)
    return subprocess.run([sys.executable, "-c", code, str(root)], cwd=CHECKOUT, capture_output=True, text=True)


@pytest.mark.parametrize("at", [1, 2, 3, 4])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_kill_leaves_every_file_old_or_new_and_the_next_run_knows_them(
    tmp_path: Path, at: int, is_first: bool
) -> None:
    old: dict[Path, bytes | None] = {WRITER: None, TRIAGE: None}
    if not is_first:
        made(tmp_path)
        old = {path: (tmp_path / path).read_bytes() for path in old}

    assert run(tmp_path, at, KILL).returncode == -signal.SIGKILL

    for path, before in old.items():
        now = (tmp_path / path).read_bytes() if (tmp_path / path).exists() else None
        assert now == before or (now is not None and b"---\nNew.\n" in now)
    after = made(tmp_path, sop="Newer still.\n")
    assert after.refused == ()
    assert [path for path in contents(tmp_path) if path.endswith(".apm-new")] == []


def test_a_run_that_was_killed_can_be_pruned_away_whole(tmp_path: Path) -> None:
    made(tmp_path)
    run(tmp_path, 3, KILL)

    generate((), tmp_path, prune=True)

    assert [path for path in contents(tmp_path) if path.endswith(".md")] == []


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_disk_that_fills_up_in_between_leaves_what_was_there(tmp_path: Path, at: int) -> None:
    made(tmp_path)
    before = {path: text for path, text in contents(tmp_path).items() if path.endswith(".md")}

    done = run(tmp_path, at, FULL)

    assert "No space left on device. No file was changed." in done.stderr
    assert {path: text for path, text in contents(tmp_path).items() if not path.startswith(".apm/")} == before
    assert set(statuses(made(tmp_path)).values()) == {"unchanged"}


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_stranger_s_file_stays_a_stranger_s_when_writing_over_it_failed(tmp_path: Path, at: int) -> None:
    (tmp_path / WRITER).parent.mkdir(parents=True)
    (tmp_path / WRITER).write_text("my own words\n", encoding="utf-8")

    assert "No file was changed." in run(tmp_path, at, FULL).stderr

    assert made(tmp_path).refused == (str(WRITER),)
    assert (tmp_path / WRITER).read_text(encoding="utf-8") == "my own words\n"


def manifest(root: Path, text: str) -> None:
    (root / ".apm").mkdir()
    (root / ".apm/generated.json").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", "holds the marks of a merge"),
        ('{"version": 1, "files"', "is not JSON"),
        ("[]", "delete it"),
        ('{"version": 2, "files": {}}', "is of version 2; this apm knows 1. Update apm."),
        ('{"version": 1, "files": {"a": {"provider": "x", "role": "y", "digest": "z"}}}', "files.a.digest"),
        ('{"version": 1, "files": {"/etc/passwd": {}}}', "files"),
        ('{"version": 1}', "files"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_said_and_nothing_is_written(tmp_path: Path, text: str, said: str) -> None:
    manifest(tmp_path, text)

    with pytest.raises(GenerationError, match=re.escape(said)):
        made(tmp_path)

    assert sorted(contents(tmp_path)) == [".apm/generated.json"]


@pytest.mark.parametrize("path", ["../precious.txt", "src/precious.py", ".git/HEAD", ".claude/agents/../../precious"])
@pytest.mark.parametrize("role", ["x", "../../src/precious.py"])
def test_a_manifest_makes_no_file_apm_s_that_its_provider_would_not_write(tmp_path: Path, path: str, role: str) -> None:
    root = tmp_path / "root"
    precious = root / path
    for folder in (root / ".claude/agents", precious.parent):
        folder.mkdir(parents=True, exist_ok=True)
    precious.write_text("precious\n", encoding="utf-8")
    entry = {"provider": "claude-code", "role": role, "digest": digest_of_text("precious\n")}
    manifest(root, json.dumps({"version": 1, "files": {path: entry}, "folders": [str(Path(path).parent)]}))

    [report] = generate((), root, prune=True, force=True, diff=True)

    assert (report.pruned, report.refused, report.diffs) == ((), (), ())
    assert precious.is_file()


def test_a_folder_that_held_no_file_of_apm_s_is_not_removed(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / ".git/refs/tags").mkdir(parents=True)
    known = json.loads((tmp_path / ".apm/generated.json").read_text(encoding="utf-8"))
    known["folders"].append(".git/refs/tags")
    (tmp_path / ".apm/generated.json").write_text(json.dumps(known), encoding="utf-8")

    generate(team(row("intent-triage")), tmp_path, prune=True)

    assert not (tmp_path / WRITER).exists()
    assert (tmp_path / ".git/refs/tags").is_dir()


def test_nothing_is_generated_among_git_s_own_files(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".claude").symlink_to(".git")

    with pytest.raises(GenerationError, match="among git's own files"):
        made(tmp_path, force=True)

    assert list((tmp_path / ".git").iterdir()) == []


def test_a_file_that_is_a_link_to_another_of_the_folder_is_not_written_through(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "pyproject.toml").write_text("mine\n", encoding="utf-8")
    (tmp_path / WRITER).unlink()
    (tmp_path / WRITER).symlink_to(tmp_path / "pyproject.toml")

    with pytest.raises(GenerationError, match="is a link to"):
        made(tmp_path, sop="New.\n", force=True)

    assert (tmp_path / "pyproject.toml").read_text(encoding="utf-8") == "mine\n"


def test_a_file_where_a_folder_is_needed_is_named(tmp_path: Path) -> None:
    (tmp_path / ".claude").write_text("a file\n", encoding="utf-8")

    with pytest.raises(GenerationError, match=r"\.claude is a file where a folder is needed; move it out of the way"):
        made(tmp_path)


def test_a_manifest_that_is_nested_without_end_is_told(tmp_path: Path) -> None:
    manifest(tmp_path, "[" * 100_000)

    with pytest.raises(GenerationError, match="is not JSON"):
        made(tmp_path)


def test_the_manifest_names_each_file_with_its_provider_role_and_digest(tmp_path: Path) -> None:
    made(tmp_path)

    text = (tmp_path / ".apm/generated.json").read_text(encoding="utf-8")
    value = json.loads(text)

    assert value["version"] == 1
    assert list(value["files"]) == sorted(value["files"]) == [str(WRITER), str(TRIAGE)]
    assert {tuple(sorted(entry)) for entry in value["files"].values()} == {("digest", "provider", "role")}
    assert str(tmp_path) not in text


def test_who_generates_holds_the_folder_s_lock(tmp_path: Path) -> None:
    with disk.locked(tmp_path):
        descriptor = os.open(tmp_path / ".apm", os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_two_at_once_leave_one_whole_result(tmp_path: Path) -> None:
    code = RUN.format(at=0, act="pass")
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=CHECKOUT) for _ in range(3)]

    assert [process.wait() for process in running] == [0, 0, 0]

    assert [path for path in contents(tmp_path) if path.endswith(".apm-new")] == []
    fresh = generate(
        team(row("ac-writer", sop_content="New.\n"), row("intent-triage", sop_content="New.\n")), tmp_path, check=True
    )
    assert fresh[0].drifted == ()
