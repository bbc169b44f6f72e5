"""What an import may load: the app paints before anything heavy comes in, and core knows no screen."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("anthropic", "jinja2", "ruamel", "apprise", "radon", "bandit", "detect_secrets", "watchfiles", "tomlkit", "build")
}
SCREENS = {"textual", "rich", "click"}


def loaded_by(*modules: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after importing these."""
    code = f"import json, sys; import {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("core.contract", {"peewee", "pydantic", "asyncio"} | HEAVY | SCREENS),
        ("core.workspace", {"pydantic", "yaml"} | HEAVY | SCREENS),
        ("core.store.reads", {"pydantic", "yaml"} | HEAVY | SCREENS),
        ("core.orchestration.engine", HEAVY | SCREENS),
        ("core.runtimes.functions", {"pydantic"} | HEAVY | SCREENS),
        ("tui.app", {"pydantic", "click"} | HEAVY),
        ("tui.cli.main", {"pydantic", "textual"} | HEAVY),
    ],
)
def test_an_import_stays_light(module: str, forbidden: set[str]) -> None:
    assert loaded_by(module) & forbidden == set()


def test_who_hands_on_a_review_needs_none_of_what_measures_it() -> None:
    """Seventy modules, which the event loop would stand still for at the first gate."""
    code = (
        "import sys, core.orchestration.phase_runner; from core.orchestration.assembly import score; score({}); "
        "sys.exit('core.agents.review' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
