"""The command line itself: help, wrong usage, exit codes, and what a command loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.unit.command_line import CommandLine
from tui.cli import main, phases, shapes
from tui.cli.main import apm

ROOT = Path(__file__).parents[2]


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(tmp_path, capsys, monkeypatch)


def loaded_by(*words: str) -> set[str]:
    """The modules that a process has loaded once it has run a command line."""
    code = "import sys; from tui.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment)
    return set(ended.stderr.split())


def test_help_names_every_command_and_loads_none_of_them() -> None:
    loaded = loaded_by("--help")
    assert not {"textual", "pydantic", "anthropic", "peewee", "rich", "asyncio", "yaml"} & loaded
    assert not {m for m in loaded if m.startswith(("core.store", "core.orchestration", "tui.cli.phases"))}


def test_routing_loads_no_database() -> None:
    assert not {"peewee", "pydantic", "textual", "asyncio"} & loaded_by("route", "request.raw")


def test_every_command_of_the_table_is_there_and_explains_itself() -> None:
    context = apm.make_context("apm", ["--help"], resilient_parsing=True)
    for name in apm.list_commands(context):
        command = apm.get_command(context, name)
        assert command is not None
        assert command.help, name


def test_an_unknown_command_is_answered_with_the_nearest(line: CommandLine) -> None:
    ended = line("esclation", "list")
    assert ended.code == 2
    assert "did you mean 'escalation'?" in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("words", [("work-item", "create", "caf\udce9"), ("project", "show", "--bogus=caf\udce9")])
def test_a_word_that_is_no_text_is_refused_where_it_names_no_file(line: CommandLine, words: tuple[str, ...]) -> None:
    ended = line(*words)
    assert ended.code == 2
    assert "caf\\xe9' is not UTF-8, and names no file that is there" in ended.err


def test_a_file_whose_name_is_no_text_can_be_named(line: CommandLine) -> None:
    file = line.folder / "caf\udce9.json"
    file.write_text("{}")
    assert line("init").code == 0
    ended = line("gate", "check", "D1", file)
    assert (ended.code, "business_context" in ended.out) == (1, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("project", "add"), "There is no folder"),
        (("agents", "generate", "--all", "--out"), "a link that leads nowhere"),
        (("work-item", "create", "x", "--body"), "too many levels of symbolic links"),
        (("state", "import"), "too many levels of symbolic links"),
    ],
)
def test_a_link_that_leads_to_itself_is_told_as_what_it_is(
    line: CommandLine, words: tuple[str, ...], told: str
) -> None:
    assert line("init").code == 0
    (line.folder / "round").symlink_to("round")
    ended = line(*words, line.folder / "round")
    assert told in ended.err
    assert "inside apm" not in ended.err


def test_a_workspace_that_is_a_link_to_itself_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "round").symlink_to("round")
    ended = CommandLine(tmp_path / "round", capsys, monkeypatch)("work-item", "list")
    assert (ended.code, "is no workspace" in ended.err) == (2, True)


def test_a_wrong_option_names_the_command_whose_help_to_read(line: CommandLine) -> None:
    ended = line("gate", "check", "--bogus", "D1", "-")
    assert ended.code == 2
    assert "`apm gate check --help`" in ended.err


@pytest.mark.parametrize("words", [("route", "nix"), ("gate", "check", "Z9", "-"), ("work-item", "show", "x")])
def test_with_json_an_error_is_the_one_document_too(line: CommandLine, words: tuple[str, ...]) -> None:
    ended = line(*words, "--json")
    assert ended.code == 2
    assert list(ended.json) == ["error"]
    assert ended.err.startswith("apm: ")


def test_what_follows_two_dashes_is_no_option(line: CommandLine) -> None:
    ended = line("route", "--", "--json")
    assert ended.code == 2
    assert ended.out == ""


def test_a_folder_without_a_workspace_is_told_how_to_make_one(line: CommandLine) -> None:
    ended = line("work-item", "list")
    assert ended.code == 2
    assert f"`apm init {line.folder}`" in ended.err


def test_bare_apm_without_a_workspace_names_init_and_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("APM_WORKSPACE", raising=False)
    assert main.main([]) == 2
    told = capsys.readouterr().err
    assert "`apm init`" in told
    assert "`apm demo`" in told


def test_bare_apm_without_a_terminal_says_what_works_without_one(line: CommandLine) -> None:
    line("init")
    ended = line()
    assert ended.code == 2
    assert "`apm run --all`" in ended.err


def test_the_workspace_can_be_named_by_the_environment(line: CommandLine, tmp_path: Path) -> None:
    line("init")
    line.monkeypatch.setenv("APM_WORKSPACE", str(tmp_path))
    line.capsys.readouterr()
    assert main.main(["work-item", "list", "--json"]) == 0
    assert json.loads(line.capsys.readouterr().out) == []


def test_the_nearest_workspace_upward_is_taken(line: CommandLine, tmp_path: Path) -> None:
    line("init")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    line.monkeypatch.chdir(deep)
    line.monkeypatch.delenv("APM_WORKSPACE", raising=False)
    assert main.main(["work-item", "list"]) == 0


def test_a_fault_of_the_program_ends_in_one_line_and_a_log(line: CommandLine) -> None:
    line("init")
    line.monkeypatch.setattr(shapes, "event", _broken)
    ended = line("audit", "tail", "--json")
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "ZeroDivisionError" in ended.err
    log = line.folder / "state" / "logs" / "apm.log"
    assert str(log) in ended.err
    assert "in _broken" in log.read_text()
    assert list(ended.json) == ["error"]


def _broken(*_: object) -> None:
    raise ZeroDivisionError("division by zero")


def test_without_a_workspace_the_trace_goes_to_a_temporary_folder(line: CommandLine, tmp_path: Path) -> None:
    line.monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    line.monkeypatch.setattr(phases, "_catalog", _broken)
    ended = line("gate", "check", "D1", "-", stdin="{}")
    assert ended.code == 1
    [log] = tmp_path.glob("apm-*/apm.log")
    assert str(log) in ended.err


def test_an_interrupt_ends_with_130(line: CommandLine) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    line.monkeypatch.setattr(phases, "_catalog", interrupt)
    ended = line("gate", "check", "D1", "-", stdin="{}")
    assert ended.code == 130
    assert "Traceback" not in ended.err


def test_a_reader_that_stops_reading_is_no_error() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tui.cli.main", "schema", "plan.snapshot"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert told == b""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("budget", "set"), "Missing argument 'SCOPE'. Choose from: "),
        (("run", "x"), "'x' is not a valid number."),
        (("run", "0"), "0 is not in the range 1<=x<="),
    ],
)
def test_what_is_wrong_is_told_in_one_line(line: CommandLine, words: tuple[str, ...], told: str) -> None:
    line("init")
    ended = line(*words)
    assert ended.code == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1
