"""`$EDITOR` has the terminal to itself while everything else goes on: the engine, and what other processes write."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.orchestration import work_items
from core.store import reads_escalations
from core.store.store import Store
from core.store.transaction import Transaction
from tests.terminal.conftest import ASKED, WORK
from tests.terminal.tty import Tty, assert_given_back, has_tmux, open_app, terminal, wait_until

pytestmark = pytest.mark.skipif(not has_tmux(), reason="tmux is not installed, and a real terminal is what is tested")

EDITOR = """\
#!/bin/sh
# Says that it has the terminal, waits to be let go, and leaves an answer.
echo "the editor has the terminal"
while [ ! -e {go} ]; do sleep 0.05; done
cat >"$1" <<'ANSWER'
name: ISO-8859-15
lines: [the first, the second]
reason: the printer knows no other
ANSWER
"""


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """The file whose being there lets the editor end."""
    return tmp_path / "go"


@pytest.fixture
def editing(folder: Path, pid_file: Path, tmp_path: Path, go: Path) -> Iterator[Tty]:
    """The app, with the answer to its question open in the editor."""
    editor = tmp_path / "my editor"
    editor.write_text(EDITOR.format(go=shlex.quote(str(go))))
    editor.chmod(0o700)
    named = shlex.quote(shlex.quote(str(editor)))
    with terminal(tmp_path, f"VISUAL= EDITOR={named} {open_app(folder, pid_file)}") as tty:
        tty.wait_for(WORK, "? help")
        tty.press("Space")
        tty.wait_for(ASKED, "recommended")
        tty.press("E")
        tty.wait_for("the editor has the terminal")
        yield tty


def accepted(tx: Transaction) -> int:
    number = work_items.create(tx, title="Accepted meanwhile", body="Would be nice to have.")
    work_items.accept(tx, number, by="ada")
    return number


def test_the_answer_is_what_was_saved(editing: Tty, folder: Path, go: Path) -> None:
    assert editing.flag("alternate_on") == "0"

    go.touch()

    editing.wait_for("Nothing waits for you.")
    with Store.open(folder / "state") as store:
        [answer] = store.read_now(lambda r: reads_escalations.answers(r, 1))
    assert (answer.option, answer.answer["name"]) == ("other", "ISO-8859-15")
    assert answer.answer["lines"] == ["the first", "the second"]


def test_the_engine_goes_on_meanwhile_and_paints_nothing(editing: Tty, folder: Path, go: Path) -> None:
    before = editing.screen()

    with Store.open(folder / "state") as store:
        number = store.write_now(accepted)
        asked = wait_until(lambda: store.read_now(lambda r: reads_escalations.waiting(r, number)) != ())

    assert asked
    assert editing.screen() == before
    go.touch()
    editing.wait_for("Accepted meanwhile", "D1 Definition")


def test_a_signal_meanwhile_gives_the_terminal_back(editing: Tty, pid_file: Path) -> None:
    import os
    import signal

    os.kill(int(pid_file.read_text()), signal.SIGTERM)

    assert_given_back(editing, 128 + signal.SIGTERM)
