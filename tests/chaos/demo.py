"""`apm demo` with its real tools, killed at what the small way does not pass and at every outward act."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.counting import Account, whole
from tests.chaos.driver import Order, kind_of, read_lines
from tests.chaos.place import Place, ask
from tests.chaos.way import KILLED, RUN, Tally, Way
from tests.chaos.zygote import Zygote
from tests.unit.git_project import git

SEEN_ELSEWHERE = ("delegation.recorded", "phase.", "schedule.", "git add", "git reset", "git clean")
"""Kinds of points that the small way is killed at, each of them, in every phase: here once for all."""
DEMO = ("demo", "--headless", "--json")
NAME, TAG = "rowdown", "v0.4.0"


class DemoPlace(Place):
    """The demo makes its workspace and its project itself, and its own agents work there."""

    @property
    def project(self) -> Path:
        return self.workspace / NAME

    def order(self, *words: str, kill: tuple[str, ...] = (), later: float = 0.0, app: bool = False) -> Order:
        del app
        given = ("--workspace", str(self.workspace), *words)
        return Order(given, str(self.ledger), kill=kill, later=later, out=str(self.out))


def kill_in_the_demo(folder: Path, zygote: Zygote) -> tuple[Tally, Account]:
    """The way, after a first one without a kill that says which points there are."""
    place = DemoPlace(folder)
    _begin(place)
    Way(place, zygote).step(DEMO)
    points = _chosen([key for what, key in read_lines(place.ledger) if what == "passed"])
    shutil.rmtree(folder)
    _begin(place)
    way = Way(place, zygote, tuple(points))
    while way.step(DEMO, way.kill) == KILLED:
        pass
    way.step(DEMO)
    # A demo that is over drives nothing; what was not cleared away is the next run's.
    way.step(RUN)
    return way.tally, Account(
        tuple(way.tally.again),
        tuple(_acts(place)),
        tuple(_questions(place)),
        (*way.tally.faults, *_left(place, zygote)),
    )


def _begin(place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.ledger.touch()


def _chosen(points: list[str]) -> list[str]:
    """Of what a way passes: all outward acts, and one of each kind of event on either side."""
    found: dict[str, str] = {}
    for point in points:
        kind = kind_of(point)
        is_event = "." in kind.split()[0]
        key = f"{point.split()[0]} {kind}" if is_event or kind.startswith(SEEN_ELSEWHERE) else point
        found.setdefault(key, point)
    return list(found.values())


def _acts(place: Place) -> Iterator[str]:
    merges = git(place.project, "rev-list", "--merges", "v0.3.0..main").split()
    if len(merges) != 1:
        yield f"{len(merges)} merges"
    if git(place.project, "tag").split().count(TAG) != 1:
        yield f"the tag {TAG} is not there"
    moved = git(place.project, "reflog", "--format=%gs", "main").splitlines()
    if sum("Fast-forward" in line for line in moved) != 1:
        yield f"main was moved by {moved}"
    trailers = "%(trailers:key=Apm-Agent,key=Apm-Task,separator=%x20)"
    made = Counter(git(place.project, "log", f"--format={trailers}", "v0.3.0..main").splitlines())
    yield from (f"{count} commits of {who}" for who, count in made.items() if who.strip() and count > 1)
    wheels = sorted((place.workspace / "state" / "releases" / NAME / "0.4.0").glob("*.whl"))
    if len(wheels) != 1:
        yield f"{len(wheels)} wheels were released"


def _questions(place: Place) -> Iterator[str]:
    """Each with one answer; what was asked is what the cassette's decision and the tools made of it."""
    asked = ask(place, "SELECT question, count(*) FROM escalations GROUP BY question")
    yield from (f"{question!r} was asked {count} times" for question, count in asked if count > 1)
    (open_,) = ask(place, "SELECT count(*) FROM escalations WHERE resolved_at IS NULL AND withdrawn_at IS NULL")
    if open_[0] or not asked:
        yield f"{len(asked)} questions, {open_[0]} of them open"
    answers = ask(place, "SELECT count(*) FROM answers GROUP BY escalation_id")
    if any(number != (1,) for number in answers):
        yield f"the questions have answers {answers}"


def _left(place: Place, zygote: Zygote) -> Iterator[str]:
    if git(place.project, "status", "--porcelain"):
        yield "uncommitted changes are left"
    if len(git(place.project, "worktree", "list").splitlines()) != 1:
        yield "a worktree is left"
    refs = git(place.project, "for-each-ref", "--format=%(refname)", "refs/heads/apm", "refs/apm")
    if refs:
        yield f"refs are left: {refs}"
    scratch = place.workspace / "state" / "scratch"
    if scratch.is_dir() and any(scratch.iterdir()):
        yield "scratch is left"
    (closed,) = ask(place, "SELECT closed_at IS NOT NULL FROM work_items WHERE origin = 'human'")
    if not closed[0]:
        yield "the work item is not closed"
    yield from whole(place, zygote)
