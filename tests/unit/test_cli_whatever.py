"""Whatever is written behind `apm`, it ends with a sentence and an exit code, and leaves a journal that is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.store.replay import replay
from core.store.store import Store
from tests.unit.command_line import CommandLine
from tui.cli.main import apm

STAYS = ("demo", "run", "serve")
"""Commands that drive or serve: what they do is tried elsewhere, and takes longer."""
HERE = ("empty", "binary", "text.md", "list.json", "object.json", "deep.json", "broken.yaml", "folder", "round", "none")
"""Files and folders, by the names that they have in the current folder."""
ODD = ("", " ", "-", "--", "0", "-1", "9" * 30, "1e999", "nan", "\x1b[31mred", "\u202eleft", "x\ny", "caf\udce9", "@-")
MEANT = {
    "ID": tuple("12345"),
    "NAME": ("ada", "sample"),
    "PHASE": ("D1", "P1", "I1", "R1", "O1", "E1"),
    "JSON": ("{}", '{"reason": "x"}', '{"options": ["a", "b"], "recommended": "c", "impact": 11}', "[]", '{"a": NaN}'),
    "K": ("architecture", "tool_selection"),
    "A": ("technical", "strategy", "ux", "gtm"),
    "KEY": ("supply", "stop", "approve"),
    "SCOPE": ("workspace", "day", "work_item"),
    "SPAN": ("1h", "2d", "99999d"),
    "ROLE": ("technical", "code-implementer"),
    "TYPE": ("request.raw", "bug"),
    "DATE": ("2026-11-23", "2026-13-45"),
}
"""What an argument or option may mean, by the word that the help calls it."""


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif name not in STAYS:
            yield (*path, name), command


COMMANDS = tuple(_commands(apm))


def _value(parameter: click.Parameter) -> st.SearchStrategy[str]:
    shown = (parameter.metavar or "").strip("[].").partition("|")[0].partition(" ")[0]
    meant = MEANT.get(shown, ())
    if isinstance(parameter.type, click.Choice):
        meant = tuple(parameter.type.choices)
    if isinstance(parameter.type, click.IntRange | click.FloatRange):
        meant = ("1", "2", "10")
    usual = st.sampled_from(meant or HERE)
    # Nothing that leads out of the test's own folder.
    return st.one_of(usual, usual, st.sampled_from((*HERE, *ODD)), st.text(st.characters(exclude_characters="/~\0")))


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    path, command = draw(st.sampled_from(COMMANDS))
    words, arguments = list(path), list[str]()
    for parameter in command.params:
        is_given = draw(st.integers(0, 9)) < (8 if parameter.required else 3)
        count = max(parameter.nargs, 1) * is_given
        values = [draw(_value(parameter)) for _ in range(count)]
        if not isinstance(parameter, click.Option):
            arguments += values
        elif is_given:
            words += [draw(st.sampled_from(parameter.opts)), *(() if parameter.is_flag else values)]
    return [*words, *draw(st.sampled_from(((), ("--",)))), *arguments]


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    files = tmp_path / "files"
    (files / "folder").mkdir(parents=True)
    (files / "round").symlink_to("round")
    for name, content in (
        ("empty", b""),
        ("binary", bytes(range(256))),
        ("text.md", b"# Add a flag\n\n- one\n- two\n"),
        ("list.json", b"[1, {}]"),
        ("object.json", b'{"version": 1, "decisions": [{"id": 1}]}'),
        ("deep.json", b"[" * 5_000 + b"]" * 5_000),
        ("broken.yaml", b"a: [1,\n\tb: {"),
    ):
        (files / name).write_bytes(content)
    monkeypatch.chdir(files)
    monkeypatch.setenv("EDITOR", "true")
    made = CommandLine(tmp_path / "workspace", capsys, monkeypatch)
    assert made("init").code == 0
    assert made("work-item", "create", "Add a flag", "--accept").code == 0
    assert made("decide", "--agent", "technical", "--kind", "architecture", "--impact", "9").code == 3
    return made


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=lines())
def _no_line_is_a_fault(line: CommandLine, words: list[str]) -> None:
    ended = line(*words)
    assert ended.code in (0, 1, 2, 3)
    assert "inside apm" not in ended.err
    assert ended.code == 0 or ended.out or ended.err
    assert "\x1b" not in ended.out + ended.err
    if ended.out and "--json" in words[: (words.index("--") if "--" in words else None)]:
        assert json.loads(ended.out) is not None


def test_whatever_is_written_ends_with_a_sentence_and_leaves_a_whole_journal(line: CommandLine) -> None:
    _no_line_is_a_fault(line)
    with Store.open(line.folder / "state") as store:
        assert store.read_now(lambda r: replay(r, store.key, store.path.parent)).is_equal
