"""The workspace of a simulation, and what an editor makes of its team's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core import workspace as workspaces
from core.registry.catalog import Catalog, load
from core.store.store import Store
from core.workspace import Workspace
from tests.simulation.process import JOURNAL_KEY, START

LIMIT_SECONDS = 20
"""How long a delegation may take here: those that hang are to be stopped, and not to be waited for."""
CACHING = '- {key: caching, title: "What is kept, for how long, and what invalidates it", impact: 4}'
ARCHITECTURE = "- {key: architecture,"
INDENT = "\n        "
TEAMS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace(INDENT + CACHING, ""),
    lambda text: text.replace(INDENT + CACHING, "").replace(
        ARCHITECTURE, CACHING.replace("}", ", ceiling: escalate}") + INDENT + ARCHITECTURE
    ),
    lambda text: text.replace("parallel_work_items: 4", "parallel_work_items: many"),
    lambda text: text.replace("parallel_work_items: 4", "parallel_work_items: 2"),
)
"""What an editor makes of the team's file; with the broken one nobody can begin."""


def make_workspace(folder: Path) -> None:
    """A workspace that is the same to the byte wherever and whenever it is made."""
    workspaces.create(folder)
    file = folder / "agents.yaml"
    text = file.read_text(encoding="utf-8")
    short = text.replace("delegation_seconds: 600", f"delegation_seconds: {LIMIT_SECONDS}")
    assert short != text
    file.write_text(short, encoding="utf-8")
    key = folder / "state" / "journal.key"
    key.write_bytes(JOURNAL_KEY)
    key.chmod(0o600)
    with Workspace(folder, Store.open(folder / "state", clock=lambda: START)) as begun:
        begun.update_registry()


def read_catalog(file: Path) -> Catalog:
    """What the file says. Read once for each text: it takes a tenth of a second, and every life begins with it."""
    text = file.read_bytes()
    if text not in _CATALOGS:
        _CATALOGS[text] = load(file)
    return _CATALOGS[text]


_CATALOGS: dict[bytes, Catalog] = {}
