"""The person's own editor: a real program each time, once in a real terminal beside an app that goes on drawing."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from textual.drivers.headless_driver import HeadlessDriver

from tests.app.driving import app_in, notices, opened, settle
from tests.app.seeding import SeededWorkspace
from tui.editing import MOST_BYTES, CannotEdit, _ended, edit_text, editor_command

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0


def make_program(folder: Path, body: str, name: str = "editor") -> Path:
    """A program of that body; the file to edit is `path` in it."""
    program = folder / name
    head = f"#!{sys.executable}\nimport os, pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n"
    program.write_text(head + body)
    program.chmod(0o755)
    return program


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A headless app has no terminal to lend; here it may lend what is none."""
    monkeypatch.setattr(HeadlessDriver, "can_suspend", True)


async def edited_by(
    made: SeededWorkspace, monkeypatch: pytest.MonkeyPatch, program: Path | str, text: str = "a: 1\n"
) -> tuple[str | None, list[str]]:
    """What comes back from an editor, and what the app said."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(program))
    async with opened(made) as pilot:
        found = await edit_text(app_in(pilot), text, suffix=".yaml", what="the answer")
        await settle(pilot)
        return found, notices(pilot)


@pytest.mark.usefixtures("terminal")
class TestAProgram:
    async def test_what_was_saved_comes_back(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = make_program(tmp_path, "path.write_text(path.read_text() + 'b: 2\\n')")
        found, said = await edited_by(empty_workspace, monkeypatch, program)
        assert (found, said) == ("a: 1\nb: 2\n", [])

    async def test_its_words_may_be_several(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = make_program(tmp_path, "path.write_text(' '.join(sys.argv[1:-1]))")
        found, _ = await edited_by(empty_workspace, monkeypatch, f"{program} --wait 'two words'")
        assert found == "--wait two words"

    async def test_the_file_is_private_named_as_its_kind_and_gone_afterwards(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = "mode = lambda p: oct(p.stat().st_mode & 0o777)\n"
        body += "(path.parent / 'left-behind').touch()\n"
        body += "path.write_text(f'{path} {mode(path)} {mode(path.parent)}')"
        found, _ = await edited_by(empty_workspace, monkeypatch, make_program(tmp_path, body))
        assert found is not None
        path, own, around = found.split()
        assert (Path(path).suffix, own, around) == (".yaml", oct(stat.S_IRUSR | stat.S_IWUSR), oct(stat.S_IRWXU))
        assert not Path(path).parent.exists()

    async def test_what_a_terminal_obeys_is_taken_out(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = make_program(tmp_path, "path.write_text('a\\x1b]52;c;eA==\\x07b\\x1b[2J')")
        found, _ = await edited_by(empty_workspace, monkeypatch, program)
        assert found == "ab"

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("pass", "Nothing was changed in the editor: the answer is as it was."),
            ("sys.exit(3)", "editor ended with exit code 3: the answer is as it was."),
            ("os.kill(os.getpid(), 9)", "editor was ended by signal 9: the answer is as it was."),
            ("path.unlink()", "The editor left no file behind: the answer is as it was."),
        ],
    )
    async def test_when_nothing_comes_of_it_one_sentence_says_so(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str
    ) -> None:
        found, heard = await edited_by(empty_workspace, monkeypatch, make_program(tmp_path, body))
        assert (found, heard) == (None, [said])

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("path.write_bytes(b'fine\\nna\\xefve\\n')", "Line 2 is not UTF-8"),
            (f"path.write_text('x' * {MOST_BYTES + 1})", "longer than 2 MB"),
            ("path.write_text('half')\nsys.exit(1)", "ended with exit code 1"),
        ],
    )
    async def test_what_was_written_and_cannot_be_taken_is_kept(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str
    ) -> None:
        found, heard = await edited_by(empty_workspace, monkeypatch, make_program(tmp_path, body))
        assert found is None
        assert said in heard[0]
        kept = Path(heard[0].rpartition(" is kept in ")[2].removesuffix("."))
        assert kept.read_bytes() != b"a: 1\n"
        kept.unlink()
        kept.parent.rmdir()

    async def test_one_that_cannot_be_run_leaves_the_app_as_it_was(
        self, empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = tmp_path / "editor"
        program.write_bytes(b"\x7fELF")
        program.chmod(0o755)
        found, heard = await edited_by(empty_workspace, monkeypatch, program)
        assert found is None
        assert "cannot be started" in heard[0]


async def test_without_a_terminal_it_says_so(
    empty_workspace: SeededWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(tmp_path, "path.write_text('b')")
    found, heard = await edited_by(empty_workspace, monkeypatch, program)
    assert (found, heard) == (None, ["An editor needs a terminal, and here is none; fill in the form instead."])


class TestWhichOne:
    def test_visual_counts_before_editor(self, tmp_path: Path) -> None:
        mine, other = make_program(tmp_path, ""), make_program(tmp_path, "", "other")
        assert editor_command({"VISUAL": f"{mine} -f", "EDITOR": str(other)}) == [str(mine), "-f"]
        assert editor_command({"VISUAL": " ", "EDITOR": str(other)}) == [str(other)]

    def test_without_either_a_usual_one_that_is_installed(self, tmp_path: Path) -> None:
        make_program(tmp_path, "", "vi")
        assert editor_command({"PATH": str(tmp_path)}) == ["vi"]
        make_program(tmp_path, "", "nano")
        assert editor_command({"PATH": str(tmp_path)}) == ["nano"]

    @pytest.mark.parametrize(
        ("environment", "said"),
        [
            ({"EDITOR": "no-such-editor -w", "PATH": "/nowhere"}, "'no-such-editor' that \\$EDITOR names"),
            ({"VISUAL": "vim 'half", "PATH": "/nowhere"}, "\\$VISUAL is .* leaves a quote open"),
            ({"PATH": "/nowhere"}, "No editor is found .*set \\$EDITOR"),
        ],
    )
    def test_none_is_told_with_what_to_do(self, environment: dict[str, str], said: str) -> None:
        with pytest.raises(CannotEdit, match=said):
            editor_command(environment)


APP = """
import asyncio, pathlib, signal, sys
from textual.app import App
from textual.widgets import Static
from tui.editing import edit_text

class Drawing(App):
    ticks = 0
    def compose(self):
        yield Static("APP-DRAWN 0")
    def on_mount(self):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self.set_interval(0.01, self.draw)
        self.run_worker(self.edit())
    def draw(self):
        self.ticks += 1
        self.query_one(Static).update(f"APP-DRAWN {self.ticks}")
        pathlib.Path(sys.argv[1], "ticks").write_text(str(self.ticks))
    async def edit(self):
        found = await edit_text(self, "before\\n", suffix=".txt")
        pathlib.Path(sys.argv[1], "result").write_text(f"{found!r} {self.said!r}")
        self.exit()
    said = ""
    def tell(self, text):
        self.said = text
    complain = tell

Drawing().run()
"""

EDITOR = """
import signal
signal.signal(signal.SIGINT, lambda *_: os.write(1, b'EDITOR-INTERRUPTED'))
(path.parent.parent / f'pid-{os.getppid()}').write_text(str(os.getpid()))
os.write(1, b'EDITOR-OPEN')
line = sys.stdin.readline()
path.write_text(path.read_text() + line)
os.write(1, b'EDITOR-DONE')
"""

TAKE_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class RealTerminal:
    """The near end of a terminal, and everything that has come out of it."""

    def __init__(self, near: int) -> None:
        self.near, self.seen = near, b""

    def type(self, keys: bytes) -> None:
        os.write(self.near, keys)

    def wait_for(self, text: bytes) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} never came; there is {self.seen[-2000:]!r}"
            self.listen()

    def listen(self) -> None:
        ready, _, _ = select.select([self.near], [], [], 0.05)
        if ready:
            try:
                self.seen += os.read(self.near, 65_536)
            except OSError:
                # How Linux tells that the last program has left the far end.
                return


@pytest.fixture
def real_terminal(tmp_path: Path) -> Iterator[tuple[RealTerminal, subprocess.Popen[bytes]]]:
    """The drawing app in a terminal of its own, with the editor above."""
    (tmp_path / "app.py").write_text(APP)
    program = make_program(tmp_path, EDITOR)
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "EDITOR": str(program), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    environment["TMPDIR"] = str(tmp_path)
    environment.pop("VISUAL", None)
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, str(tmp_path / "app.py"), str(tmp_path)],
        stdin=far,
        stdout=far,
        stderr=far,
        env=environment,
    )
    os.close(far)
    try:
        yield RealTerminal(near), process
    finally:
        process.kill()
        process.wait()
        os.close(near)


def _counted(ticks: Path) -> int:
    """What the app has counted to; the file is empty for the moment in which it is written."""
    while not (text := ticks.read_text()):
        pass
    return int(text)


def test_the_app_goes_on_unseen_and_ctrl_c_is_the_editors(
    real_terminal: tuple[RealTerminal, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    terminal, process = real_terminal
    terminal.wait_for(b"EDITOR-OPEN")
    ticks = tmp_path / "ticks"

    terminal.type(b"\x03")
    terminal.wait_for(b"EDITOR-INTERRUPTED")
    before = _counted(ticks)
    end = time.monotonic() + PATIENCE_SECONDS
    # Far more frames than Textual's queue of output holds: with drawing not held back the loop would stop for good.
    while _counted(ticks) < before + 100:
        assert time.monotonic() < end, "the app has stopped"
        terminal.listen()
    terminal.type(b"after\n")
    terminal.wait_for(b"EDITOR-DONE")
    while process.poll() is None:
        terminal.listen()

    during = terminal.seen.partition(b"EDITOR-OPEN")[2].partition(b"EDITOR-DONE")[0]
    assert b"APP-DRAWN" not in during
    assert b"\x1b" not in during
    assert (tmp_path / "result").read_text() == "'before\\nafter\\n' ''"
    assert process.returncode == 0


def test_an_app_that_has_to_end_ends_the_editor_first(
    real_terminal: tuple[RealTerminal, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    terminal, process = real_terminal
    terminal.wait_for(b"EDITOR-OPEN")
    editor = int((tmp_path / f"pid-{process.pid}").read_text())

    process.terminate()
    while process.poll() is None:
        terminal.listen()

    assert not psutil.pid_exists(editor)
    assert not (tmp_path / "result").exists()
    assert list(tmp_path.glob("apm-*")) == []


async def test_an_editor_that_ends_by_itself_while_the_app_has_to_end_is_no_fault() -> None:
    process = await asyncio.create_subprocess_exec("true")
    editing = asyncio.create_task(_ended(process))
    while process.returncode is None:  # noqa: ASYNC110 — whoever waits for it would learn of it a turn later
        await asyncio.sleep(0)
    editing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await editing
