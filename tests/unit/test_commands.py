"""Running programs: what they get, what they may use, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.projects import child, commands, processes
from core.projects.commands import CommandResult, Limits, child_environment, in_workspace, run, sweep_stale

PYTHON = sys.executable

DAEMON = """
import os, sys, time
if os.fork():
    os.wait()
    sys.exit(0)
os.setsid()
if os.fork():
    os._exit(0)
if "quiet" in sys.argv:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
with open(sys.argv[1], "w") as file:
    file.write(str(os.getpid()))
time.sleep(300)
"""
"""A program whose grandchild left its session and its parent; argv: where the grandchild writes its pid."""


async def python(code: str, *args: str, cwd: Path, limits: Limits = commands.DEFAULT) -> CommandResult:
    return await run([PYTHON, "-c", code, *args], cwd=cwd, limits=limits)


def digest(stdout: bytes, stderr: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(stdout).digest() + hashlib.sha256(stderr).digest()).hexdigest()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does; the timeout only bounds a broken test."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 (another process gives no event to wait for)
            await asyncio.sleep(0.01)


def python_process(code: str, *args: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """A Python beside the test's, started without the code under test."""
    return subprocess.Popen([PYTHON, "-c", code, *args], env=env, stdout=subprocess.PIPE, text=True)


async def pid_in(file: Path) -> int:
    await until(lambda: file.is_file() and file.read_text() != "")
    return int(file.read_text())


async def test_the_result_tells_what_happened(tmp_path: Path) -> None:
    result = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], cwd=tmp_path)

    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert not result.ok
    assert result.output_digest == digest(b"out\n", b"err\n")
    assert result.output == "out\nerr"
    assert result.cwd == str(tmp_path)
    assert (result.timed_out, result.truncated, result.not_found, result.note) == (False, False, False, "")


async def test_a_program_that_a_signal_ended_has_its_negative_number(tmp_path: Path) -> None:
    assert (await run(["sh", "-c", "kill -SEGV $$"], cwd=tmp_path)).exit_code == -signal.SIGSEGV


async def test_words_reach_the_program_unchanged_by_any_shell(tmp_path: Path) -> None:
    words = ["$HOME", "a b", "; echo x", "*", "é", ""]
    result = await python("import sys; print(sys.argv[1:])", *words, cwd=tmp_path)
    assert result.stdout == f"{words}\n"


async def test_a_missing_program_is_a_result(tmp_path: Path) -> None:
    result = await run(["no-such-program-here"], cwd=tmp_path)

    assert (result.exit_code, result.not_found) == (None, True)
    assert result.stderr == "The program 'no-such-program-here' was not found; install it, or correct the command."


@pytest.mark.parametrize("argv", [["a\0b"], ["./plain"], [PYTHON, "x" * 3_000_000], ["./garbage"], ["./script"]])
async def test_what_cannot_be_started_is_a_result(tmp_path: Path, argv: list[str]) -> None:
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "garbage").write_bytes(b"\x7fELF\0")
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    for name in ("garbage", "script"):
        (tmp_path / name).chmod(0o755)

    result = await run(argv, cwd=tmp_path)

    assert (result.exit_code, result.not_found) == (None, False)
    assert "could not be started" in result.stderr


async def test_an_empty_command_is_a_result(tmp_path: Path) -> None:
    assert (await run([], cwd=tmp_path)).stderr == "The command is empty; give it at least the name of a program."


async def test_the_end_is_noticed_without_a_process_descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems other than Linux."""
    monkeypatch.delattr(os, "pidfd_open")
    assert (await run(["sh", "-c", "echo out; exit 3"], cwd=tmp_path)).exit_code == 3


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    result = await run(["true"], cwd=tmp_path / "gone")

    assert not result.not_found
    assert result.stderr == f"The folder {tmp_path}/gone does not exist, so 'true' was not run there."


async def test_standard_input_is_empty_or_what_is_given(tmp_path: Path) -> None:
    assert (await run(["cat"], cwd=tmp_path)).stdout == ""
    assert (await run(["cat"], cwd=tmp_path, stdin=b"text" * 500_000)).stdout == "text" * 500_000


async def test_a_program_that_does_not_read_its_input_is_no_error(tmp_path: Path) -> None:
    assert (await run(["true"], cwd=tmp_path, stdin=b"x" * 2**22)).ok


async def test_bytes_that_are_no_text_are_shown_as_replacements(tmp_path: Path) -> None:
    result = await run(["printf", r"a\377b"], cwd=tmp_path)
    assert result.stdout == "a\ufffdb"
    assert result.output_digest == digest(b"a\xffb", b"")


def test_a_child_inherits_places_and_no_secrets() -> None:
    kept = {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "HTTPS_PROXY": "p", "no_proxy": "n", "PIP_INDEX_URL": "i"}
    dropped = ("ANTHROPIC_API_KEY", "GITHUB_TOKEN", "AWS_SECRET", "GIT_DIR", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER")
    assert child_environment(kept | dict.fromkeys(dropped, "x")) == kept


async def test_given_variables_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_KEY", "secret")
    result = await run(["env"], cwd=tmp_path, env={"PYTHONPATH": "src"})
    assert "PYTHONPATH=src" in result.stdout.splitlines()
    assert "secret" not in result.stdout


async def test_output_without_end_is_kept_at_both_ends_in_bounded_memory(tmp_path: Path) -> None:
    size = 100 * 2**20
    code = f"""
import sys
sys.stdout.write("first\\n")
for _ in range({size} // 65536):
    sys.stdout.write("x" * 65535 + "\\n")
sys.stdout.write("last\\n")
"""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    result = await python(code, cwd=tmp_path, limits=Limits(output_bytes=100_000))

    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert result.stdout.startswith("first\n")
    assert result.stdout.endswith("last\n")
    assert f"{size + 11 - 100_000:,} bytes dropped here" in result.stdout
    assert result.truncated
    assert len(result.stdout) < 101_000
    assert grown < 20 * 2**20
    block = b"x" * 65535 + b"\n"
    whole = hashlib.sha256(b"first\n")
    for _ in range(size // 65536):
        whole.update(block)
    whole.update(b"last\n")
    assert result.output_digest == hashlib.sha256(whole.digest() + hashlib.sha256().digest()).hexdigest()


async def test_output_that_just_fits_is_whole(tmp_path: Path) -> None:
    result = await python("print('x' * 998, end='yz')", cwd=tmp_path, limits=Limits(output_bytes=1_000))
    assert (len(result.stdout), result.truncated) == (1_000, False)


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
    task = asyncio.create_task(run(["sh", "-c", "sleep 300"], cwd=tmp_path))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not [child for child in psutil.Process().children(recursive=True) if is_running(child.pid)]


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


async def test_many_commands_run_side_by_side(tmp_path: Path) -> None:
    results = await asyncio.gather(*(run(["echo", str(number)], cwd=tmp_path) for number in range(30)))
    assert [result.stdout for result in results] == [f"{number}\n" for number in range(30)]


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


def test_a_pid_that_another_process_took_is_not_taken_for_its_owner() -> None:
    pid, _, started = processes.identity().partition(":")

    assert processes.alive(f"{pid}:{started}")
    assert not processes.alive(f"{pid}:{float(started) - 3_600:.2f}")
    assert not processes.alive("")
    assert not processes.alive("no:sense")


def test_the_sweep_spares_the_process_that_sweeps() -> None:
    code = """
import asyncio
from core.projects.commands import sweep_stale
print(asyncio.run(sweep_stale("w-3")))
"""
    env = {**os.environ, processes.WORKSPACE: "w-3", processes.OWNER: "1:0.0"}
    assert python_process(code, env=env).communicate()[0] == "0\n"


async def test_a_run_inside_a_run_ends_with_the_outer_one(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); {ORPHAN}"
    code = code.replace('"quiet"], cwd=Path("."))', '"quiet"], cwd=Path("."), leftovers="group")')

    result = await python(code, "w-4", DAEMON, str(file), cwd=tmp_path)

    assert result.note == "killed processes that the command had left running"
    assert not file.is_file() or not is_running(int(file.read_text() or 0))


async def test_evidence_is_clean_bounded_and_names_the_run(tmp_path: Path) -> None:
    result = await run(["sh", "-c", r"printf '\033]0;x\007%05000d' 7; exit 1"], cwd=tmp_path)
    evidence = result.evidence(tool="sh", tool_version="1", note="why")

    assert evidence["command"][0] == "sh"
    assert "\x1b" not in evidence["command"][2]
    assert len(evidence["output_tail"]) == 2_000
    assert evidence["output_tail"].endswith("0007")
    assert evidence["output_digest"] == result.output_digest
    assert {key: evidence[key] for key in ("cwd", "exit_code", "timed_out", "truncated")} == {
        "cwd": str(tmp_path),
        "exit_code": 1,
        "timed_out": False,
        "truncated": False,
    }
    assert (evidence["tool"], evidence["tool_version"], evidence["note"]) == ("sh", "1", "why")
    assert abs(evidence["started_at"] / 1000 - time.time()) < 3_600
