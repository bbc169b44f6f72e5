"""`state/settings.yaml`: what it may say, where it says it wrong, and that writing it keeps what a person wrote."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from core.contract import ApmError
from core.workspace import create
from tests.app.driving import app_in, app_of, notices, settle
from tests.app.seeding import SeededWorkspace
from tui.settings import text as settings_text
from tui.settings.configured import ConfiguredApp
from tui.settings.file import NOTHING_SET, Settings, SettingsError, SettingsFile, ascii_at_start, theme_at_start
from tui.settings.keymap import BOUND, clashes
from tui.settings.text import set_keys, set_value, settings_of, written_keys
from tui.settings.themes import CONTRAST, DARK, LIGHT


def faults_of(text: str) -> list[tuple[int, int, str]]:
    """Line, column and words of everything wrong in the text."""
    with pytest.raises(SettingsError) as raised:
        settings_of(text.encode())
    return [(fault.line, fault.column, fault.text) for fault in raised.value.faults]


def test_everything_that_can_be_set_is_read() -> None:
    text = "theme: nord\nascii: true\nmouse: false\nkeys:\n  queue.accept: f8\n  list.down: [F5, down]\n"
    found = settings_of(text.encode())
    assert (found.theme, found.ascii, found.mouse) == ("nord", True, False)
    assert found.keymap.changed == {"queue.accept": ("f8",), "list.down": ("f5", "down")}


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\n", "keys:\n", "keys: {}\n"])
def test_a_file_that_says_nothing_sets_nothing(text: str) -> None:
    assert settings_of(text.encode()) == NOTHING_SET


def test_keys_as_they_came_are_no_change() -> None:
    assert settings_of(b"keys: {queue.accept: a}").keymap.changed == {}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("them: nord\n", 1, 1, "them is no setting; did you mean 'theme'?"),
        ("theme: nord\nversion: 2\n", 2, 10, "version: this apm reads version 1, not 2"),
        ("version: true\n", 1, 10, "version: this apm reads version 1, not True"),
        ("ascii: true\ntheme: apm-drak\n", 2, 8, "did you mean 'apm-dark'?"),
        ("mouse: sometimes\n", 1, 8, "is true or false"),
        ("keys:\n  queue.acept: a\n", 2, 3, "queue.acept is no action; did you mean 'queue.accept'?"),
        ("keys:\n  queue.accept: ctrl+foo\n", 2, 17, "'ctrl+foo' is no key"),
        ("keys:\n  queue.accept: pagedwn\n", 2, 17, "did you mean 'pagedown'?"),
        ("keys:\n  queue.accept: ctrl+i\n", 2, 17, "ctrl+i cannot be told from tab"),
        ("keys:\n  queue.accept:\n", 2, 16, "or [] for none"),
        ("keys:\n  queue.accept: s\n", 2, 17, "s is taken by queue.snooze"),
        ("keys:\n  queue.accept: j\n", 2, 17, "j is taken by list.down"),
        ("keys:\n  queue.accept: q\n", 2, 17, "q is taken by quit"),
        ("keys:\n  queue.accept: enter\n", 2, 17, "enter keeps its meaning everywhere"),
        ("keys:\n  queue.accept: ctrl+c\n", 2, 17, "ctrl+c keeps its meaning everywhere"),
        ("keys:\n  list.open: o\n", 2, 14, "enter cannot be taken from it; write 'o,enter'"),
        ("keys:\n  out: []\n", 2, 8, "esc cannot be taken from it"),
        ("keys:\n  form.send: s\n", 2, 14, "s is typed into the text here"),
        ("keys:\n  decision.answer: a\n", 2, 3, "from decision.answer.1 on"),
        ("keys: [a, b]\n", 1, 7, "is a mapping of actions to keys"),
        ("- theme\n", 1, 1, "is no mapping"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(text: str, line: int, column: int, words: str) -> None:
    at_line, at_column, told = faults_of(text)[0]
    assert (at_line, at_column) == (line, column)
    assert words in told


def test_two_actions_that_took_one_key_are_told_at_the_later_line() -> None:
    told = faults_of("keys:\n  queue.accept: f5\n  queue.snooze: f5\n")
    assert [(line, column) for line, column, _ in told] == [(3, 17)]


def test_one_key_for_two_actions_that_are_never_open_together_is_none_of_a_clash() -> None:
    found = settings_of(b"keys: {queue.accept: f5, work.pause: f5}")
    assert found.keymap.changed == {"queue.accept": ("f5",), "work.pause": ("f5",)}


def test_two_actions_can_exchange_their_keys() -> None:
    assert len(settings_of(b"keys: {queue.accept: s, queue.snooze: a}").keymap.changed) == 2


def test_what_is_no_yaml_is_told_with_its_line() -> None:
    assert faults_of("theme: nord\nkeys: {a: [\n")[0][0] >= 2


def test_every_mistake_is_told_at_once() -> None:
    assert [line for line, _, _ in faults_of("themes: x\nascii: 3\nkeys:\n  nope: a\n  quit: '?'\n")] == [1, 2, 4, 5]


NAMES = sorted(name for name, bound in BOUND.items() if "escape" not in bound.keys and "enter" not in bound.keys)
WORDS = st.sampled_from(["w", "W", "f5", "f6", "ctrl+t", "alt+left", "%", ",", "1", "shift+pgdn", "é", "="])
RANDOM_KEYS = st.dictionaries(st.sampled_from(NAMES), st.lists(WORDS, max_size=3, unique=True), max_size=5)


@settings(max_examples=80)
@given(RANDOM_KEYS)
def test_whatever_loads_leaves_no_two_actions_on_a_key_and_comes_back_as_it_was_written(
    wanted: dict[str, list[str]],
) -> None:
    import yaml

    try:
        keymap = settings_of(yaml.safe_dump({"keys": wanted}).encode()).keymap
    except SettingsError:
        return
    assert [clash for name in keymap.changed for clash in clashes(keymap, name)] == []
    again = yaml.safe_dump({"keys": {name: written_keys(keys) for name, keys in keymap.changed.items()}})
    assert settings_of(again.encode()).keymap == keymap


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_a_mistake_that_is_told(content: bytes) -> None:
    with contextlib.suppress(SettingsError):
        assert isinstance(settings_of(content), Settings)


WRITTEN = """# mine
theme: nord # the cold one

keys:
  # the hand knows it
  queue.accept: f8
"""


def test_a_change_keeps_comments_and_order(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(WRITTEN)
    set_value(file, "theme", "dracula")
    set_keys(file, "queue.snooze", ("f5",))
    assert file.read_text() == WRITTEN.replace("nord", "dracula") + "  queue.snooze: f5\n"


def test_the_first_change_makes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    set_keys(file, "queue.accept", ("comma", "f8"))
    assert settings_of(file.read_bytes()).keymap.changed == {"queue.accept": ("comma", "f8")}
    assert file.read_text().startswith("# ")


def test_keys_that_are_given_back_leave_the_file_without_them(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    set_keys(file, "queue.accept", ("f8",))
    set_keys(file, "queue.accept", None)
    assert settings_of(file.read_bytes()) == NOTHING_SET
    assert "keys" not in file.read_text().replace("its keys", "")


def test_what_would_break_the_file_is_refused_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(WRITTEN)
    with pytest.raises(SettingsError, match=r"taken by queue\.snooze"):
        set_keys(file, "queue.accept", ("s",))
    assert file.read_text() == WRITTEN


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("theme: [")
    with pytest.raises(ApmError):
        set_value(file, "ascii", True)
    assert file.read_text() == "theme: ["


def test_the_example_that_an_editor_opens_with_can_be_uncommented() -> None:
    lines = settings_text.EXAMPLE.splitlines()[1:]
    text = "\n".join(line.removeprefix("# ") if not line.startswith("#  ") else line[1:] for line in lines)
    assert settings_of(text.encode()).theme == DARK.name


def test_a_file_is_read_only_when_it_changed(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "settings.yaml")
    assert not file.look()
    file.path.write_text("theme: nord\n")
    assert file.look()
    assert not file.look()
    assert file.settings.theme == "nord"
    file.path.unlink()
    assert file.look()
    assert file.settings == NOTHING_SET


def test_without_a_file_nothing_is_loaded_to_read_it() -> None:
    code = (
        "import sys; from pathlib import Path; from tui.settings.file import SettingsFile;"
        "SettingsFile(Path('none.yaml')).look(); print(sorted({'yaml', 'ruamel', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


async def test_the_app_starts_as_the_file_says(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("theme: nord\nascii: true\nkeys:\n  next: f5\n")
    async with started(busy_workspace) as pilot:
        app = configured(pilot)
        assert (app.theme, app.ascii_glyphs, app.keymap.changed) == ("nord", True, {"next": ("f5",)})


async def test_a_broken_file_changes_nothing_and_says_its_line(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("theme: nord\nkeys:\n  next: q\n")
    async with started(busy_workspace) as pilot:
        app = configured(pilot)
        assert (app.theme, app.keymap.changed) == (DARK.name, {})
        assert "state/settings.yaml:3:9: next: q is taken by quit" in notices(pilot)[-1]


async def test_a_change_on_disk_is_followed(busy_workspace: SeededWorkspace) -> None:
    async with started(busy_workspace) as pilot:
        file(busy_workspace).write_text("theme: apm-light\n")
        configured(pilot).look_at_settings()
        assert app_in(pilot).theme == LIGHT.name


async def test_a_file_that_breaks_while_the_app_runs_leaves_it_as_it_was(busy_workspace: SeededWorkspace) -> None:
    file(busy_workspace).write_text("theme: nord\n")
    async with started(busy_workspace) as pilot:
        file(busy_workspace).write_text("theme: none of them\n")
        configured(pilot).look_at_settings()
        await settle(pilot)
        assert app_in(pilot).theme == "nord"


def test_textual_theme_goes_before_the_file_and_the_file_before_what_it_came_with() -> None:
    known = dict.fromkeys(("nord", DARK.name, LIGHT.name))
    assert theme_at_start(Settings(theme="nord"), {"TEXTUAL_THEME": LIGHT.name}, known) == LIGHT.name
    assert theme_at_start(Settings(theme="nord"), {"TEXTUAL_THEME": "no such"}, known) == "nord"
    assert theme_at_start(Settings(theme="nord"), {}, known) == "nord"
    assert theme_at_start(NOTHING_SET, {}, known) == DARK.name


async def test_textual_theme_can_name_one_of_ours(
    busy_workspace: SeededWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", CONTRAST.name)
    app = app_of(busy_workspace)
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.theme == CONTRAST.name


@pytest.mark.parametrize(
    ("set_to", "term", "encoding", "wanted"),
    [
        (None, "xterm-256color", "utf-8", False),
        (None, "xterm-256color", "UTF8", False),
        (None, "linux", "utf-8", True),
        (None, "xterm", "iso8859-1", True),
        (None, "xterm", None, True),
        (False, "linux", "ascii", False),
        (True, "xterm", "utf-8", True),
    ],
)
def test_plain_characters_where_the_terminal_has_no_others(
    set_to: bool | None, term: str, encoding: str | None, wanted: bool
) -> None:
    assert ascii_at_start(Settings(ascii=set_to), {"TERM": term}, encoding) is wanted


def test_doctor_lists_what_is_wrong_in_the_file(tmp_path: Path) -> None:
    create(tmp_path, "default")
    (tmp_path / "state" / "settings.yaml").write_text("theme: nord\nkeys:\n  next: q\n")
    argv = [sys.executable, "-m", "tui.cli.main", "--workspace", str(tmp_path), "doctor", "--json"]
    told = json.loads(subprocess.run(argv, capture_output=True, text=True, check=False).stdout)
    assert [f["found"] for f in told if f["name"] == "settings.yaml"] == [
        "state/settings.yaml:3:9: next: q is taken by quit (everywhere: Quit)"
    ]


@asynccontextmanager
async def started(made: SeededWorkspace) -> AsyncIterator[Pilot[int]]:
    """The app as `apm` starts it: with the settings of its workspace."""
    app = app_of(made)
    app.follow_settings(made.state)
    async with app.run_test(notifications=True) as pilot:
        await settle(pilot)
        yield pilot


def file(made: SeededWorkspace) -> Path:
    return made.state / "settings.yaml"


def configured(pilot: object) -> ConfiguredApp:
    app = getattr(pilot, "app", None)
    assert isinstance(app, ConfiguredApp)
    return app
