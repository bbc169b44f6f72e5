"""Running programs: what they get, what they may use, and what is kept of what they say."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from core.projects.commands import Limits, child_environment, run
from tests.unit.commanded import PYTHON, python


def digest(stdout: bytes, stderr: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(stdout).digest() + hashlib.sha256(stderr).digest()).hexdigest()


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


async def test_many_commands_run_side_by_side(tmp_path: Path) -> None:
    results = await asyncio.gather(*(run(["echo", str(number)], cwd=tmp_path) for number in range(30)))
    assert [result.stdout for result in results] == [f"{number}\n" for number in range(30)]


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
