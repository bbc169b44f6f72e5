"""What a drive knows of its work item, and how long that holds: what nobody else has changed is not read again.

Every commit of this process is heard of before whoever wrote it goes on; those of other processes a moment later, when
the engine looks for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from core.contract import ApmError, Json, Written, canonical_json
from core.orchestration.lease import HeldStore
from core.orchestration.outcomes import Passed
from core.orchestration.position import Position, read_position
from core.orchestration.work_items import Kept
from core.store import reads, rows

ACCOUNTED = frozenset(("phase.entered", "phase.passed", "telemetry.collected"))
"""Kinds of events that only a drive writes, and that it accounts for itself."""
UNRELATED = frozenset(("delegation", "notification", "engine", "schedule", "inbox", "spend", "budget"))
"""Families of events that change nothing that is known here; what a drive delegates it adds to its journal itself."""


class Parked(Exception):
    """The work item has to wait: for an answer, for a provider, or because somebody paused it.

    `waits_for` are the questions that were open then: before one of them is answered there is no use in going on.
    `rest_seconds` is how long nothing can be got from the provider that it waits for; 0 where it waits for none.
    """

    def __init__(self, waits_for: frozenset[int] = frozenset(), rest_seconds: float = 0.0) -> None:
        super().__init__()
        self.waits_for, self.rest_seconds = waits_for, rest_seconds


class News:
    """Counts what happens to every followed work item, and to what all share, besides what drives account for."""

    def __init__(self) -> None:
        self._of: dict[int, int] = {}
        self._of_all = 0

    def take_in(self, events: Iterable[tuple[int | None, str]]) -> None:
        """Work item and kind of each event."""
        for work_item, kind in events:
            if kind in ACCOUNTED or kind.partition(".")[0] in UNRELATED:
                continue
            if work_item is None:
                self._of_all += 1
            elif work_item in self._of:
                self._of[work_item] += 1

    @contextmanager
    def followed(self, work_item: int) -> Iterator[None]:
        self._of[work_item] = 0
        try:
            yield
        finally:
            del self._of[work_item]

    def count(self, work_item: int | None = None) -> int:
        """Another number after every event of a work item that is followed, or of none. -1 for one that is not: a write
        goes on whose drive was cancelled meanwhile."""
        if work_item is None:
            return self._of_all
        return self._of_all + self._of[work_item] if work_item in self._of else -1


class Standing:
    """The position of one work item that is followed, read again once there is news of it."""

    def __init__(self, store: HeldStore, news: News, work_item: int) -> None:
        self._store, self._news, self._id = store, news, work_item
        self._position: Position | None = None
        self._read_at = self._checked_at = -1
        """The news as counted before the position, and whether it may go on, was last read."""
        self._contents: dict[str, tuple[Json, Written]] = {}

    async def position(self) -> Position:
        count, known = self._news.count(self._id), self._position
        if known is None or count != self._read_at:
            journal = None if known is None else known.journal
            known = await self._store.read(lambda r: read_position(r, self._id, journal))
            self._position, self._read_at = known, count
            self._checked_at = count if _goes_on(known.facts) else -1
        return known

    @property
    def is_current(self) -> bool:
        """Whether nothing has happened since the position was read that is not in it."""
        return self._news.count(self._id) == self._read_at

    def moved(self, position: Position) -> None:
        """Take the position that a closure of the drive's own has led to."""
        self._position = position

    def passed(self, passed: Passed) -> None:
        """The same, once a gate was passed."""
        passed.position.journal.add(passed.answered)
        self._know(passed.artifact, passed.content)
        self.moved(passed.position)

    def collected(self, position: Position, kept: Kept) -> None:
        """The same, once telemetry was kept, which was collected at that position."""
        self._know(kept.row.digest, kept.text)
        self.moved(replace(position, artifacts=(*position.artifacts, kept.row)))

    def _know(self, artifact: str, text: str) -> None:
        self._contents[artifact] = json.loads(text), Written(text)

    async def content(self, artifact: rows.ArtifactRow) -> tuple[Json, Written]:
        """What an artifact says, and the same as it is stored. Artifacts never change."""
        if artifact.digest not in self._contents:
            content = await self._store.read(lambda r: reads.artifact_content(r, artifact.id))
            self._contents[artifact.digest] = content, Written(canonical_json(content))
        return self._contents[artifact.digest]

    async def check_goes_on(self) -> None:
        """Raises Parked when the work item has been paused or has come to its end."""
        count = self._news.count(self._id)
        if count == self._checked_at:
            return
        facts = await self._store.read(lambda r: reads.work_item_facts(r, self._id))
        if facts is None or not _goes_on(facts):
            raise Parked
        self._checked_at = count


def _goes_on(facts: rows.WorkItemFactsRow) -> bool:
    return facts.paused_at is None and not facts.is_over


class Roster:
    """The agents' rows by role, read again once something has happened that may have changed them."""

    def __init__(self, store: HeldStore, news: News) -> None:
        self._store, self._news = store, news
        self._rows: dict[str, rows.AgentRow] = {}
        self._read_at = -1
        self._reading = asyncio.Lock()

    async def agent(self, role: str) -> rows.AgentRow:
        """Raises ApmError where no agent has the role."""
        if self._news.count() != self._read_at:
            async with self._reading:
                count = self._news.count()
                if count != self._read_at:
                    found = await self._store.read(lambda r: reads.agents(r, active_only=False))
                    self._rows, self._read_at = {a.role: a for a in found}, count
        if role not in self._rows:
            raise ApmError(f"No agent has the role {role}; `apm agents import` brings it back from agents.yaml.")
        return self._rows[role]
