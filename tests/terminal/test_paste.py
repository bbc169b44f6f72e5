"""What is pasted is text and never keys: it answers and commands nothing, and is typed where something is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.store import reads, reads_escalations
from core.store.store import Store
from tests.terminal.conftest import ASKED, WORK
from tests.terminal.tty import Tty, has_tmux, wait_until

pytestmark = pytest.mark.skipif(not has_tmux(), reason="tmux is not installed, and a real terminal is what is tested")


def test_on_the_dashboard_it_commands_nothing(app: Tty) -> None:
    app.paste("qqqnx")

    app.press("?")

    app.wait_for("Keys here")
    assert app.flag("alternate_on") == "1"


def test_on_a_question_it_answers_nothing(app: Tty, folder: Path) -> None:
    app.press("Space")
    app.wait_for(ASKED, "UTF-16", "recommended")

    app.paste("1\n a\n")

    app.press("?")
    app.wait_for("Keys here")
    app.press("Escape")
    app.wait_for(ASKED, "UTF-16", "recommended")
    with Store.open(folder / "state") as store:
        assert store.read_now(lambda r: reads_escalations.answers(r, 1)) == ()


def test_in_a_field_it_is_typed(app: Tty, folder: Path) -> None:
    app.press("n")
    app.wait_for("New work item")

    app.paste("\nq 1 a:\n\n  write it down\n")
    app.wait_for("q 1 a: write it down")
    app.press("F2")

    with Store.open(folder / "state") as store:
        assert wait_until(lambda: [i.title for i in store.read_now(reads.work_items)] == ["q 1 a: write it down", WORK])
