"""A real workspace on which the story is played: its store, its catalog, its schedules, and a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core import workspace as workspaces
from core.governance import clock, schedules
from core.governance.briefing import briefing, keep
from core.governance.scope.review import SCHEDULE, review
from core.places import FILE
from core.registry.catalog import Catalog
from core.store.reads import Connection
from core.store.store import Store
from core.store.transaction import Transaction
from core.workspace import Workspace
from tests.month.days import END, START, told
from tests.month.deeds import Deed

CONFLICT = "conflict "
MOST_SWEEPS = 100
"""Of one moment. Each does some hundreds of deadlines."""
LOCAL_ZONE, UTC_ZONE = "timezone: local ", "timezone: UTC "


class Astray(Exception):
    """The product did something else than the story goes on from; says what."""


class Clock:
    """The time of the month, which the story moves. Every part of the product that asks for the time is told it."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass
class Stage:
    """The workspace, and the product's numbers for what the story has names for.

    `on_review` is called after every scope review, by whom, inside the transaction that held it.
    """

    workspace: Workspace
    clock: Clock
    on_review: Callable[[Transaction, str], None]
    decisions: dict[str, int] = field(default_factory=dict)
    questions: dict[str, int] = field(default_factory=dict)
    """Of decisions, permissions and conflicts; a conflict's name begins with CONFLICT."""

    @classmethod
    def build(cls, folder: Path, on_review: Callable[[Transaction, str], None]) -> Stage:
        file = workspaces.create(folder) / FILE
        text = file.read_text(encoding="utf-8")
        assert LOCAL_ZONE in text, f"{file} does not keep its schedules in the machine's time zone any more"
        # A schedule in the machine's own zone would make the month another one on every machine.
        file.write_text(text.replace(LOCAL_ZONE, UTC_ZONE), encoding="utf-8")
        time = Clock(START)
        store = Store.open(folder / "state", synchronous="normal", clock=time)
        made = cls(Workspace(folder, store), time, on_review)
        made.workspace.update_registry()
        store.write_now(lambda tx: schedules.plan(tx, made.duties))
        return made

    def question(self, name: str) -> int:
        """The number of the question that the story has that name for. Raises Astray when nobody was asked."""
        if name not in self.questions:
            raise Astray(f"the plan has a person asked about {name!r}, and apm asked nobody")
        return self.questions[name]

    @property
    def store(self) -> Store:
        return self.workspace.store

    @property
    def catalog(self) -> Catalog:
        return self.workspace.catalog

    @property
    def duties(self) -> tuple[schedules.Duty, ...]:
        return schedules.duties_of(self.catalog.defaults.schedules)

    def play(self, story: Sequence[Deed], do: Callable[[Stage, Deed], None]) -> None:
        """Deed by deed; before each, and up to the end of the month, what has fallen due by then."""
        for deed in story:
            self._pass_time(deed.at)
            self.clock.now = deed.at
            do(self, deed)
        self._pass_time(END - 1)
        self.clock.now = END

    def hold_review(self, tx: Transaction, by: str) -> None:
        review(tx, by=None if by == SCHEDULE else by)
        self.on_review(tx, by)

    def _pass_time(self, until: int) -> None:
        while (moment := self.store.read_now(_next_moment)) is not None and moment <= until:
            if moment <= self.clock.now:
                raise Astray(f"what was due at {told(moment)} was not done at {told(self.clock.now)}")
            self.clock.now = moment
            if not any(self.store.write_now(clock.sweep) == 0 for _ in range(MOST_SWEEPS)):
                raise Astray(f"at {told(moment)} there is always something left to sweep")
            for duty in self.duties:
                self._keep_schedule(duty)

    def _keep_schedule(self, duty: schedules.Duty) -> None:
        def work(tx: Transaction) -> None:
            if not schedules.claim(tx, duty):
                return
            if duty.name == schedules.WEEKLY_SCOPE_REVIEW:
                self.hold_review(tx, SCHEDULE)
            else:
                milestone = self.catalog.defaults.milestone.title
                keep(tx, briefing(tx, tx.now, milestone=milestone), send=False)

        self.store.write_now(work)


def _next_moment(reader: Connection) -> int | None:
    """When the first deadline or schedule has something to do."""
    moments = (clock.next_moment(reader), schedules.next_moment(reader))
    return min((moment for moment in moments if moment is not None), default=None)
