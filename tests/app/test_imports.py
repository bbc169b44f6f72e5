"""What opening the app may load: first paint pays for every import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_AT_START = (
    "anthropic",
    "bandit",
    "click",
    "core.agents.release",
    "core.orchestration.engine",
    "jinja2",
    "pydantic",
    "radon",
    "rich.markdown",
    "ruamel",
    "textual.widgets._text_area",
    "tomlkit",
    "watchfiles",
    "yaml",
)


def test_a_workspace_is_found_without_what_opens_it() -> None:
    code = "import sys, tui.cli.main, core.places, tui.app; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in ("core.workspace", "peewee", "sqlite3") if name in loaded] == []


def test_the_app_starts_without_what_it_may_never_need() -> None:
    code = "import sys, tui.app; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [name for name in NOT_AT_START if name in loaded] == []
