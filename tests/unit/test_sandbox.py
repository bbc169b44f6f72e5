"""Commands that a model wrote the contents of run with the worktree alone, where bubblewrap can make such a place."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.projects.commands import CommandResult, Limits
from core.projects.sandbox import (
    BUBBLEWRAP,
    FILE_BYTES,
    NONE,
    NOTE,
    SWITCHED_OFF,
    WITHOUT,
    Place,
    Sandbox,
    enclosure,
    place_of,
)
from tests.unit.git_project import commit, git

WORKS = (
    shutil.which("bwrap") is not None
    and subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True).returncode == 0
)
needs_bubblewrap = pytest.mark.skipif(not WORKS, reason="bubblewrap is not installed here, or may not make namespaces")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A linked worktree of a repository whose remote's address holds a password."""
    repository = tmp_path / "repository"
    commit(repository, {"a.txt": "one\n"})
    git(repository, "remote", "add", "origin", "https://ada:hunter22@example.org/x.git")
    git(repository, "worktree", "add", "-q", "-b", "apm/1-x", str(tmp_path / "tree"))
    (tmp_path / "scratch").mkdir()
    return tmp_path / "tree"


async def python(code: str, tree: Path, seconds: float = 60.0) -> CommandResult:
    place = await place_of(tree, tree.parent / "scratch")
    return await Sandbox().run([sys.executable, "-c", code], place, limits=Limits(seconds=seconds), env={})


@needs_bubblewrap
async def test_a_command_works_in_the_worktree_with_the_projects_interpreter(tree: Path) -> None:
    result = await python("import json; open('b.txt', 'w').write(open('a.txt').read()); print('done')", tree)
    assert (result.exit_code, result.stdout.strip()) == (0, "done"), result.output
    assert (tree / "b.txt").read_text() == "one\n"
    assert result.argv[0] == sys.executable
    assert result.evidence()["note"] == NOTE


@needs_bubblewrap
async def test_nothing_listens_to_it_and_it_reaches_nobody(tree: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = await python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)", tree)
    assert result.exit_code == 1
    assert "ConnectionRefusedError" in result.stderr


@needs_bubblewrap
async def test_it_writes_nowhere_else(tree: Path) -> None:
    """The system refuses; temporary folders are its own, in memory, and gone with it."""
    for target in (Path("/usr/escaped"), Path("/etc/escaped")):
        result = await python(f"open({str(target)!r}, 'w').write('x')", tree)
        assert (result.exit_code, "Read-only file system" in result.stderr) == (1, True), result.output
        assert not target.exists()
    for target in (tree.parent / "escaped", Path("/tmp/escaped-of-apm")):
        result = await python(f"open({str(target)!r}, 'w').write('x'); print('written')", tree)
        assert (result.exit_code, result.stdout) == (0, "written\n"), result.output
        assert not target.exists()


@needs_bubblewrap
async def test_gits_folder_and_its_pointer_are_read_and_not_written(tree: Path) -> None:
    common = tree.parent / "repository" / ".git"
    code = f"""
import os, pathlib, subprocess
print(subprocess.run(["git", "log", "--format=%s"], capture_output=True, text=True).stdout.strip())
print(subprocess.run(["git", "config", "remote.origin.url"], capture_output=True, text=True).stdout.strip() or "no url")
for act in (
    lambda: pathlib.Path({str(common)!r}, "hooks", "pre-commit").write_text("x"),
    lambda: pathlib.Path({str(common)!r}, "config").write_text("x"),
    lambda: pathlib.Path(".git").write_text("gitdir: /tmp"),
    lambda: os.unlink(".git"),
    lambda: os.rename(".git", "old"),
):
    try:
        act()
    except OSError:
        print("refused")
"""
    before = (common / "config").read_text()
    result = await python(code, tree)
    assert result.stdout.split("\n")[:-1] == ["a change", "no url", *["refused"] * 5], result.output
    assert (common / "config").read_text() == before
    assert not (common / "hooks" / "pre-commit").exists()


@needs_bubblewrap
async def test_the_home_is_empty_but_for_programs(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    for name in (".ssh/id_ed25519", ".aws/credentials", ".config/gh/hosts.yml", ".cargo/credentials.toml", ".netrc"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("a secret")
    (home / ".local/bin").mkdir(parents=True)
    (home / ".local/bin/tool").write_text("#!/bin/sh\necho a tool\n")
    (home / ".local/bin/tool").chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    code = """
import os, pathlib, subprocess
home = pathlib.Path.home()
print(sorted(str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()))
print(subprocess.run([home / ".local/bin/tool"], capture_output=True, text=True).stdout.strip())
(home / "cache").write_text("x")
"""
    result = await python(code, tree)
    assert result.stdout.splitlines() == ["['.local/bin/tool']", "a tool"], result.output
    assert not (home / "cache").exists()


@needs_bubblewrap
async def test_no_key_of_ours_is_in_its_environment(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "sk-a-secret-value")
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:sk-a-secret-value@proxy.example.org")
    monkeypatch.setenv("PIP_INDEX_URL", "https://ada:sk-a-secret-value@index.example.org")
    code = """
import os, pathlib
print("sk-a-secret" in str(os.environ))
everyone = [p for p in os.listdir("/proc") if p.isdigit()]
print([p for p in everyone if b"sk-a-secret" in pathlib.Path("/proc", p, "environ").read_bytes()])
"""
    result = await python(code, tree)
    assert result.stdout.splitlines() == ["False", "[]"], result.output


@needs_bubblewrap
async def test_what_it_started_ends_with_it(tree: Path) -> None:
    code = """
import os, sys, time
CHILD = "import fcntl, time; f = open('lock', 'w'); fcntl.flock(f, 2); open('alive', 'w'); time.sleep(300)"
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(1), os.close(2)
        os.execve(sys.executable, [sys.executable, "-c", CHILD], {})
    os._exit(0)
while not os.path.exists("alive"):
    time.sleep(0.01)
"""
    result = await python(code, tree)
    assert result.exit_code == 0, result.output
    with (tree / "lock").open() as file:
        # Waits for a child that is just being ended; one that is not would hold it for five minutes.
        async with asyncio.timeout(60):
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)


@needs_bubblewrap
async def test_one_that_hangs_is_ended_at_its_limit(tree: Path) -> None:
    result = await python("import time; time.sleep(300)", tree, seconds=1.0)
    assert result.timed_out


@needs_bubblewrap
async def test_no_file_of_its_own_fills_the_disk(tree: Path) -> None:
    code = f"""
import resource
with open("big", "wb") as file:
    file.truncate({FILE_BYTES})
    print(file.seek(0, 2))
    try:
        file.truncate({FILE_BYTES} + 1)
    except OSError as error:
        print(error.strerror)
try:
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
except ValueError as error:
    print(error)
"""
    result = await python(code, tree)
    assert result.stdout.splitlines() == [str(FILE_BYTES), "File too large", "not allowed to raise maximum limit"], (
        result.output
    )


async def test_without_bubblewrap_commands_run_under_the_same_limits(tree: Path) -> None:
    sandbox = Sandbox(program="no-such-program-anywhere")
    assert await sandbox.kind() == NONE
    result = await sandbox.run(["cat", "a.txt"], Place(tree), limits=Limits(seconds=20.0), env={})
    assert (result.stdout, result.note) == ("one\n", WITHOUT)


async def test_a_sandbox_that_is_switched_off_says_so(tree: Path) -> None:
    result = await Sandbox("").run(["sleep", "300"], Place(tree), limits=Limits(seconds=0.1), env={})
    assert result.note == f"{SWITCHED_OFF}; killed at the time limit of 0.1 s"


@needs_bubblewrap
async def test_whether_it_works_is_asked_once(tree: Path) -> None:
    sandbox = Sandbox()
    assert await sandbox.kind() == BUBBLEWRAP
    sandbox._program = "no-such-program-anywhere"
    assert await sandbox.kind() == BUBBLEWRAP


def test_no_folder_above_home_or_worktree_is_ever_shown(tmp_path: Path) -> None:
    home, tree = tmp_path / "home", tmp_path / "home" / "work" / "tree"
    place = Place(tree, visible=(tmp_path, home, home / "work", Path("/"), Path("/tmp"), home / "env"))
    options = enclosure(place, ["x"], home, {"PATH": f"{home}:{home}/work:{home}/bin"})
    shown = [options[i + 1] for i, word in enumerate(options) if word == "--ro-bind-try"]
    for wide in (tmp_path, home, home / "work", Path("/"), Path("/tmp")):
        assert str(wide) not in shown
    assert {str(home / "env"), str(home / "bin")} <= set(shown)
