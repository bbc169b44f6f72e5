"""What must hold at the end of every way, counted from outside: git's own history, files, the database's own check."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from core.contract import PHASE_CODES
from tests.chaos.place import PROJECT, TAG, TASKS_COMMITTED, VERSION, Place, ask
from tests.chaos.way import KILLED, Tally
from tests.chaos.zygote import Zygote
from tests.unit.git_project import git


@dataclass(frozen=True, slots=True)
class Account:
    """The faults of ways, by what they are about; all empty where everything is as it has to be."""

    twice: tuple[str, ...]
    acts_twice: tuple[str, ...]
    questions_lost: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return (
            *(f"executed again: {key}" for key in self.twice),
            *(f"acted twice: {what}" for what in self.acts_twice),
            *(f"lost or asked twice: {what}" for what in self.questions_lost),
            *self.other,
        )


def account(place: Place, zygote: Zygote, tally: Tally) -> Account:
    """Look at the place once the way is through."""
    return Account(
        tuple(tally.again),
        tuple(_acts(place)),
        tuple(_questions(place)),
        (*tally.faults, *_half_states(place), *whole(place, zygote)),
    )


def _acts(place: Place) -> Iterator[str]:
    """Outward acts that did not happen exactly once."""
    made = git(place.project, "log", "--format=%s", "v0.1.0..main").splitlines()
    wanted = [*TASKS_COMMITTED, f"Version {VERSION}", f"Changelog of {VERSION}", f"Release {VERSION}: Greet in German"]
    yield from _differences("commit", Counter(wanted), Counter(made))
    moved = git(place.project, "reflog", "--format=%gs", "main").splitlines()
    if len(moved) != 2:
        yield f"main was moved {len(moved) - 1} times: {moved}"
    tags = git(place.project, "tag").split()
    yield from _differences("tag", Counter(("v0.1.0", TAG)), Counter(tags))
    yield from _differences("deployment", Counter((VERSION,)), Counter(place.deployments.read_text().split()))
    lines = Counter(line.partition(" ")[2] for line in _log(place))
    yield from (f"the log has {line!r} {count} times" for line, count in lines.items() if count > 1)
    (sent,) = ask(place, "SELECT count(*) FROM notifications WHERE channel = 'file' AND outcome = 'sent'")
    if sent[0] > lines.total():
        yield f"{sent[0]} notices were sent and the log has {lines.total()} lines"
    proposed = Counter(row[0] for row in ask(place, "SELECT title FROM work_items"))
    yield from _differences("work item", Counter(set(proposed)), proposed)


def _log(place: Place) -> list[str]:
    path = place.workspace / "state" / "logs" / "notifications.log"
    return path.read_text().splitlines() if path.exists() else []


def _differences(what: str, wanted: Counter[str], found: Counter[str]) -> Iterator[str]:
    for name in sorted(wanted | found):
        if wanted[name] != found[name]:
            yield f"{what} {name!r}: {found[name]} times in the place of {wanted[name]}"


def _questions(place: Place) -> Iterator[str]:
    """Every question once, each with one answer; that about a deployment only where it could not be known."""
    asked = Counter(row[0] for row in ask(place, "SELECT question FROM escalations"))
    decided = "Does the language come by name or by position?"
    yield from (f"{question!r} was asked {count} times" for question, count in asked.items() if count > 1)
    if decided not in asked:
        yield f"{decided!r} was never asked"
    answers = ask(place, "SELECT count(*) FROM answers GROUP BY escalation_id")
    if sorted(answers) != [(1,)] * len(asked):
        yield f"{len(asked)} questions have answers {answers}"
    shown = ask(place, "SELECT count(*) FROM decisions WHERE question = ?", decided)
    if shown != [(1,)]:
        yield f"the decision stands {shown} times"


def _half_states(place: Place) -> Iterator[str]:
    """What a killed process may have left in the middle of something."""
    for wrong, found in (
        ("uncommitted changes", git(place.project, "status", "--porcelain")),
        ("worktrees", "\n".join(git(place.project, "worktree", "list").splitlines()[1:])),
        ("branches", git(place.project, "for-each-ref", "--format=%(refname)", "refs/heads/apm", "refs/apm")),
        ("merge under way", " ".join(path.name for path in (place.project / ".git").glob("MERGE_*"))),
        (
            "lock files",
            " ".join(str(path) for path in (place.project / ".git").rglob("*.lock") if path.name != "apm.lock"),
        ),
        ("folders of worktrees", " ".join(_inside(place, "worktrees", PROJECT))),
        ("scratch", " ".join(_inside(place, "scratch"))),
        ("half files", " ".join(name for name in _inside(place, "releases", PROJECT, VERSION) if name.startswith("."))),
        ("processes", " ".join(_processes(place))),
        ("repository", _fsck(place)),
    ):
        if found.strip():
            yield f"{wrong} left: {found}"
    missing = {"release.json", "deploy.intent", "deploy.done", "record.json"} - set(
        _inside(place, "releases", PROJECT, VERSION)
    )
    if missing:
        yield f"missing in the release: {sorted(missing)}"
    open_calls = ask(place, "SELECT count(*) FROM spend WHERE settled_at IS NULL")
    if open_calls != [(0,)]:
        yield f"calls that are never settled: {open_calls}"
    keys = ask(place, "SELECT work_item, phase, round, agent, subject FROM delegations")
    rounds = dict(ask(place, "SELECT phase, count(*) FROM phase_runs WHERE outcome = 'passed' GROUP BY phase"))
    if len(keys) != len(set(keys)) or rounds != dict.fromkeys(PHASE_CODES, 1):
        yield f"{len(keys)} delegations under {len(set(keys))} keys, phases passed {rounds}"


def _fsck(place: Place) -> str:
    found = git(place.project, "fsck", "--no-dangling", "--no-progress")
    return "" if found.startswith("notice:") else found


def _inside(place: Place, *names: str) -> list[str]:
    folder = place.workspace.joinpath("state", *names)
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _processes(place: Place) -> list[str]:
    found = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in map(" ".join, found) if str(place.folder) in line]


def whole(place: Place, zygote: Zygote) -> Iterator[str]:
    """The chain by apm's own word, the file by SQLite's."""
    if not (place.workspace / "state" / "apm.db").exists():
        return
    code = zygote.wait(zygote.start(place.order("audit", "verify", "--json")))
    if code not in (0, KILLED):
        yield f"audit verify ended with {code}: {place.out.read_text()[-800:]}"
    connection = sqlite3.connect(place.workspace / "state" / "apm.db")
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.close()
    if found != [("ok",)] or broken:
        yield f"integrity_check says {found}, foreign_key_check {broken}"
