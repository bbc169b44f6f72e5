from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from tests.app.busy import busy
from tests.app.inbox import RETRY, ask, inbox
from tests.app.seeding import MINUTE, SeededWorkspace
from tests.app.seeding_scope import scoped_with_files, team_only


@pytest.fixture
def busy_workspace(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = busy(tmp_path)
    yield made
    made.close()


@pytest.fixture
def empty_workspace(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = SeededWorkspace(tmp_path)
    yield made
    made.close()


@pytest.fixture
def team(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = team_only(tmp_path)
    yield made
    made.close()


@pytest.fixture
def scoped(tmp_path: Path) -> Iterator[SeededWorkspace]:
    """Scope proposals of every kind, and the files generated for the team."""
    made = scoped_with_files(tmp_path)
    yield made
    made.close()


@pytest.fixture
def full_inbox(tmp_path: Path) -> Iterator[SeededWorkspace]:
    made = inbox(tmp_path)
    yield made
    made.close()


@pytest.fixture
def three_questions(empty_workspace: SeededWorkspace) -> SeededWorkspace:
    """Three questions that need an answer: an immediate one, and two daily ones."""
    made = empty_workspace
    made.at(3 * MINUTE, lambda tx: ask(tx, "First, at once?", urgency="IMMEDIATE"))
    made.at(2 * MINUTE, lambda tx: ask(tx, "Second?"))
    made.at(1 * MINUTE, lambda tx: ask(tx, "Third?", RETRY))
    return made


@pytest.fixture(autouse=True, scope="session")
def style_sheets_parsed_once() -> Iterator[None]:
    """An app parses its style sheets anew each time it opens; here they are parsed once for each theme."""
    parse, parsed = Stylesheet._parse_rules, dict[Any, list[RuleSet]]()

    def once(sheet: Stylesheet, *source: Any, **more: Any) -> list[RuleSet]:
        key = (tuple(sheet._variables.items()), source, tuple(more.items()))
        if key not in parsed:
            parsed[key] = parse(sheet, *source, **more)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", once)
        yield
