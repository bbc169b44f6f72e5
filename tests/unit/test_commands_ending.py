"""Whatever ends a command, nothing of what it started goes on: limits, cancelling, daemons, leftovers of a dead apm."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from core.projects import child, processes
from core.projects.commands import CommandResult, Limits, in_workspace, run, sweep_stale
from tests.unit.commanded import DAEMON, PYTHON, is_running, pid_in, python, python_process, until
from tests.unit.other_processes import nobody_here


async def stopped_at_its_limit(code: str, file: Path) -> CommandResult:
    """A run that its limit ended after the program had written `file`: the limit grows until it had the time."""
    for seconds in (0.3, 1, 4, 16):
        result = await python(code, str(file), cwd=file.parent, limits=Limits(seconds))
        if file.is_file() and file.read_text():
            break
    return result


async def test_a_program_that_ignores_sigterm_ends_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_SECONDS", 0.2)
    file = tmp_path / "pid"
    code = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("begun", flush=True)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(300)
"""
    result = await stopped_at_its_limit(code, file)

    assert (result.exit_code, result.timed_out) == (None, True)
    assert result.stdout == "begun\n"
    assert result.note.startswith("killed at the time limit of ")
    assert not is_running(int(file.read_text()))


async def test_a_polite_program_may_clean_up_at_its_limit(tmp_path: Path) -> None:
    code = """
import signal, sys, time
def end(*_):
    print("cleaned", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
open(sys.argv[1], "w").write("ready")
time.sleep(300)
"""
    result = await stopped_at_its_limit(code, tmp_path / "ready")
    assert (result.stdout, result.exit_code) == ("ready\ncleaned\n", None)


async def test_a_program_is_asked_to_end_once(tmp_path: Path) -> None:
    code = """
import signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
open(sys.argv[1], "w").write("ready")
while not asked:
    time.sleep(0.01)
time.sleep(0.3)
print(len(asked), flush=True)
"""
    assert (await stopped_at_its_limit(code, tmp_path / "ready")).stdout == "1\n"


async def test_descendants_that_left_the_session_are_killed_at_the_limit(tmp_path: Path) -> None:
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {DAEMON!r}, sys.argv[1], 'quiet']); "
    file = tmp_path / "pid"

    result = await stopped_at_its_limit(code + "time.sleep(300)", file)

    assert result.timed_out
    assert not is_running(int(file.read_text()))


@pytest.mark.parametrize("leftovers", ["search", "group"])
async def test_a_descendant_that_holds_the_output_open_does_not_hang_us(
    tmp_path: Path, leftovers: child.Leftovers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "DRAIN_SECONDS", 0.2)
    file = tmp_path / "pid"

    result = await run([PYTHON, "-c", DAEMON, str(file)], cwd=tmp_path, leftovers=leftovers)

    assert result.ok
    assert result.note == "killed processes that the command had left running"
    assert not file.is_file() or not is_running(int(file.read_text() or 0))


async def test_a_silent_daemon_ends_with_its_command(tmp_path: Path) -> None:
    file = tmp_path / "pid"

    result = await python(DAEMON, str(file), "quiet", cwd=tmp_path)

    assert result.note == "killed processes that the command had left running"
    assert not file.is_file() or not is_running(int(file.read_text() or 0))


async def test_a_background_child_ends_with_its_command(tmp_path: Path) -> None:
    result = await run(["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!"], cwd=tmp_path)

    assert result.note == "killed processes that the command had left running"
    await until(lambda: not is_running(int(result.stdout)))


async def test_a_deploy_may_leave_its_service_running(tmp_path: Path) -> None:
    with in_workspace("w-deploy"):
        result = await run(["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!"], cwd=tmp_path, leftovers="leave")
    service = psutil.Process(int(result.stdout))
    try:
        assert (result.ok, result.note) == (True, "")
        assert is_running(service.pid)
        assert await sweep_stale("w-deploy") == 0
    finally:
        service.kill()


async def test_cancelling_the_caller_kills_the_tree(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {DAEMON!r}, sys.argv[1], 'quiet']); "
    task = asyncio.create_task(python(code + "time.sleep(300)", str(file), cwd=tmp_path))
    pid = await pid_in(file)

    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not is_running(pid)


@pytest.mark.parametrize("turns", range(5))
async def test_a_caller_cancelled_at_any_moment_leaves_nothing(tmp_path: Path, turns: int) -> None:
    others = set(psutil.Process().children(recursive=True))
    task = asyncio.create_task(run(["sh", "-c", "sleep 300"], cwd=tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    left = set(psutil.Process().children(recursive=True)) - others
    assert not [child for child in left if is_running(child.pid)]


def test_the_end_of_the_loop_kills_what_runs(tmp_path: Path) -> None:
    """As when apm is quit: asyncio cancels every task there is, also those that were killing."""
    pids = [tmp_path / str(number) for number in range(3)]

    async def quit_early() -> None:
        script = "trap '' TERM; echo $$ >$0; while :; do sleep 300; done"
        tasks = [
            asyncio.create_task(run(["sh", "-c", script, str(file)], cwd=tmp_path, limits=Limits(0.2 + number)))
            for number, file in enumerate(pids)
        ]
        for file in pids:
            await pid_in(file)
        await asyncio.wait(tasks, timeout=0.3)

    asyncio.run(quit_early())

    assert not [file for file in pids if is_running(int(file.read_text()))]


ORPHAN = """
import asyncio, sys
from pathlib import Path
from core.projects.commands import in_workspace, run
with in_workspace(sys.argv[1]):
    asyncio.run(run([sys.executable, "-c", sys.argv[2], sys.argv[3], "quiet"], cwd=Path(".")))
"""


async def test_leftovers_of_a_dead_apm_are_swept_by_workspace(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    held = DAEMON.replace("    os.wait()\n    sys.exit(0)\n", "    time.sleep(300)\n")
    apm = python_process(ORPHAN, "w-1", held, str(file))
    pid = await pid_in(file)
    try:
        assert await sweep_stale("w-1") == 0, "its apm is alive"
        apm.kill()
        apm.wait()

        assert await sweep_stale("w-2") == 0
        assert is_running(pid)
        assert await sweep_stale("w-1") == 2
        assert not is_running(pid)
        assert await sweep_stale("w-1") == 0
    finally:
        apm.kill()
        apm.communicate()


@pytest.mark.parametrize("owner", ["box:boot:1:2:3", "box:2:3.00", "2:3.00", ""])
async def test_commands_of_an_apm_that_nothing_is_known_of_are_left_alone(owner: str) -> None:
    """It may live in another PID namespace, or be of an earlier version."""
    env = {**os.environ, processes.WORKSPACE: "w-5", processes.OWNER: owner}
    command = python_process("import signal; signal.pause()", env=env)
    try:
        assert await sweep_stale("w-5") == 0
        assert is_running(command.pid)
    finally:
        command.kill()
        command.communicate()


def test_the_sweep_spares_the_process_that_sweeps() -> None:
    code = """
import asyncio
from core.projects.commands import sweep_stale
print(asyncio.run(sweep_stale("w-3")))
"""
    env = {**os.environ, processes.WORKSPACE: "w-3", processes.OWNER: nobody_here()}
    assert python_process(code, env=env).communicate()[0] == "0\n"


async def test_a_run_inside_a_run_ends_with_the_outer_one(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); {ORPHAN}"
    code = code.replace('"quiet"], cwd=Path("."))', '"quiet"], cwd=Path("."), leftovers="group")')

    result = await python(code, "w-4", DAEMON, str(file), cwd=tmp_path)

    assert result.note == "killed processes that the command had left running"
    assert not file.is_file() or not is_running(int(file.read_text() or 0))
