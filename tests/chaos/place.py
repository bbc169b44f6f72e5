"""A prepared workspace with a small project that deploys by a command, copied back to its place for each way."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.places import FILE
from tests.chaos.driver import Order
from tests.chaos.team import CODERS, TASKS, write_cassette
from tests.chaos.zygote import Zygote
from tests.unit.git_project import commit, git

SCHEDULES = 2
"""Of a team as it ships, by the hour."""
FILES = {
    "pyproject.toml": '[project]\nname = "greeter"\nversion = "0.1.0"\n',
    "greeter/__init__.py": '"""Greets."""\n',
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n",
    "README.md": "# greeter\n",
}
TITLE = "Greet in German"
TASKS_COMMITTED = tuple(f"{task['title']} ({role})" for task in TASKS for role in CODERS)
"""The subjects of the coders' commits."""
PROJECT, VERSION, TAG = "greeter", "0.2.0", "v0.2.0"


@dataclass(frozen=True, slots=True)
class Place:
    """Everything of one way below one folder, always the same one: paths stand in the database and in git."""

    folder: Path

    @property
    def workspace(self) -> Path:
        return self.folder / "ws"

    @property
    def project(self) -> Path:
        return self.folder / PROJECT

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def deployments(self) -> Path:
        """A line for each deployment: the world outside."""
        return self.folder / "deployments"

    @property
    def out(self) -> Path:
        """What the processes print."""
        return self.folder / "out"

    def order(self, *words: str, kill: tuple[str, ...] = (), later: float = 0.0, app: bool = False) -> Order:
        return Order(
            ("--workspace", str(self.workspace), *words),
            str(self.ledger),
            str(self.folder / "cassette.json"),
            kill,
            later,
            app,
            str(self.out),
        )

    def keep(self, as_: Path) -> None:
        """Keep what stands here now."""
        shutil.copytree(self.folder, as_, symlinks=True)

    def restore(self, kept: Path) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(kept, self.folder, symlinks=True)


def prepare(place: Place, zygote: Zygote, *, asks: bool = False) -> None:
    """Workspace, project and what they deploy with. With `asks` nothing but a person can say what was deployed."""
    place.folder.mkdir(parents=True)
    commit(place.project, FILES, "Greet people")
    git(place.project, "tag", "-a", "-m", "first", "v0.1.0")
    # The user's own name, so that a release is made in it.
    git(place.project, "config", "user.name", "Ada")
    git(place.project, "config", "user.email", "ada@example.org")
    write_cassette(place.folder / "cassette.json")
    place.ledger.touch()
    place.deployments.touch()
    (place.folder / "request.md").write_text("Customers in Germany are greeted in English.\n")
    for words in (
        ("init", str(place.workspace)),
        ("project", "add", str(place.project), *_deploying(place, asks)),
    ):
        code = zygote.wait(zygote.start(place.order(*words)))
        if code != 0:
            raise RuntimeError(f"apm {' '.join(words)} ended with {code}: {place.out.read_text()}")
    _put_off_schedules(place.workspace / FILE)
    place.ledger.write_text("")


def _put_off_schedules(team: Path) -> None:
    """Half a day from now: the last run of a way is hours ahead, and is to have no briefing that none before it had."""
    hour = (datetime.now().astimezone().hour + 12) % 24
    text, found = re.subn(r'"0 \d+ \* \* (\*|mon)"', rf'"0 {hour} * * \1"', team.read_text(encoding="utf-8"))
    if found != SCHEDULES:
        raise RuntimeError(f"{team} has {found} schedules by the hour instead of {SCHEDULES}")
    team.write_text(text, encoding="utf-8")


def _deploying(place: Place, asks: bool) -> tuple[str, ...]:
    deploy, deployed = place.folder / "deploy.sh", place.folder / "deployed.sh"
    deploy.write_text(f'echo "$1" >> {place.deployments}\n')
    deployed.write_text(f'grep -qx "$1" {place.deployments}\n')
    asked = () if asks else ("--deployed", f"sh {deployed} {{version}}")
    return ("--deploy", f"sh {deploy} {{version}}", "--health", "true", *asked)


def size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 (asked thousands of times)
    except FileNotFoundError:
        return 0


def ask(place: Place, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of the place's database; none while it is not there."""
    path = place.workspace / "state" / "apm.db"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=30.0)) as connection:
        return connection.execute(sql, values).fetchall()


def recorded(place: Place) -> set[str]:
    """The keys of the delegations on record."""
    found = ask(place, "SELECT phase, round, agent, subject FROM delegations")
    return {" ".join(map(str, row)).strip() for row in found}
