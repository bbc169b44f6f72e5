"""What a run tells on standard error while it works: a line for each thing that happened, and what runs right now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from core.contract import Json
from core.sanitise import one_line
from core.store import reads
from core.store.carried import carried
from core.store.rows import EventRow, LiveRow
from core.store.store import Store
from core.store.writer import milliseconds_now

POLL_SECONDS = 0.2
"""How often the journal is looked at; what this process writes is seen within the same span."""
REFRESHES_PER_SECOND = 4
WINDOW = 500
MOST_QUESTION = 200
RAISED = "escalation.raised"


def _row_of(event: EventRow, table: str) -> Json:
    """The values of the first row of a table that an event carries."""
    rows = carried(event.payload, seq=event.seq, at=event.at, work_item=event.work_item)
    return next((values for name, _, values in rows if name == table), {})


def _delegation(event: EventRow) -> str:
    row = _row_of(event, "delegations")
    subject = f" {row['subject']}" if row.get("subject") else ""
    # That an answer was recorded once and is only played has to be seen wherever it is shown.
    replayed = row.get("runtime") == "replay"
    cost = " (replay)" if replayed else _cost(event.payload.get("response", {}).get("metadata", {}))
    return f"{row.get('phase')} {row.get('agent')}{subject} {row.get('status')} {row.get('milliseconds')} ms{cost}"


def _cost(metadata: Json) -> str:
    """Tokens and dollars of an answer that was paid for."""
    tokens, dollars = metadata.get("tokens"), metadata.get("cost")
    if not isinstance(tokens, int) or not tokens:
        return ""
    price = f"${dollars:,.4f}" if isinstance(dollars, int | float) else "no price"
    return f" ({metadata.get('model')}, {tokens:,} tokens, {price})"


def _warned(event: EventRow) -> str:
    facts = event.payload
    return f"has used {facts.get('percent')} % of the budget of {facts.get('scope', '').replace('_', ' ')}"


def _entered(event: EventRow) -> str:
    number = event.payload.get("round", 1)
    return f"{event.payload.get('phase')} begins{f' (round {number})' if number != 1 else ''}"


def _ended(event: EventRow) -> str:
    return f"{event.payload.get('phase')} {event.kind.removeprefix('phase.').replace('_', ' ')}"


def _raised(event: EventRow) -> str:
    question = one_line(str(_row_of(event, "escalations").get("question", "")), MOST_QUESTION)
    return f"asks #{event.payload.get('escalation')} {question}"


def _answered(event: EventRow) -> str:
    given = _row_of(event, "answers").get("option", "")
    who = f"{event.payload.get('by')} ({event.payload.get('provenance')})"
    return f"#{event.payload.get('escalation')} is answered {given!r} by {who}"


def _decided(event: EventRow) -> str:
    row = _row_of(event, "decisions")
    return f"{row.get('agent')} decides {row.get('kind')}: {row.get('choice')} ({event.payload.get('rule')})"


LINES: Mapping[str, Callable[[EventRow], str]] = MappingProxyType(
    {
        "delegation.recorded": _delegation,
        "phase.entered": _entered,
        "phase.passed": _ended,
        "phase.blocked": _ended,
        "phase.failed": _ended,
        "phase.sent_back": _ended,
        "phase.void": _ended,
        RAISED: _raised,
        "escalation.resolved": _answered,
        "decision.decided": _decided,
        "telemetry.collected": lambda _: "E1 telemetry is collected",
        "work_item.cancelled": lambda _: "is cancelled",
        "budget.warned": _warned,
    }
)
"""What each kind of event says on its line; the other kinds say nothing."""


def line_of(event: EventRow) -> str | None:
    say = LINES.get(event.kind)
    whose = f"{event.work_item} " if event.work_item is not None else ""
    return None if say is None else one_line(f"{whose}{say(event)}", 400)


class Progress:
    """Shows what happens to some work items from now on."""

    def __init__(self, store: Store, work_items: Collection[int], live: Callable[[], LiveRow | None]) -> None:
        self._store, self._wanted, self._live = store, frozenset(work_items), live
        self._console = Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._seen = 0

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show while inside, and on leaving what was still to be told."""
        last = await self._store.read(lambda r: reads.events(r, last=1))
        self._seen = last[-1].seq if last else 0
        with self._screen() as screen:
            task = asyncio.create_task(self._follow(screen), name="apm-progress")
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await self.tell()

    def _screen(self) -> Any:
        """The last lines of a terminal, which show what runs; nothing where there is no terminal."""
        if not self._console.is_terminal:
            return contextlib.nullcontext()
        return Live(console=self._console, transient=True, refresh_per_second=REFRESHES_PER_SECOND)

    async def _follow(self, screen: Live | None) -> None:
        while True:
            await self.tell()
            if screen is not None:
                screen.update(await self._running())
            await asyncio.sleep(POLL_SECONDS)

    async def tell(self) -> None:
        """Print what has happened since the last time."""
        while len(found := await self._store.read(lambda r: reads.events(r, after=self._seen, limit=WINDOW))) > 0:
            for event in found:
                self._seen = event.seq
                # A question of no work item concerns them all: a provider that takes no calls.
                is_meant = event.work_item in self._wanted or (event.work_item is None and event.kind == RAISED)
                line = line_of(event) if is_meant else None
                if line is not None:
                    self._console.print(Text(line))

    async def _running(self) -> Text:
        driven_here = self._live()
        live = await self._store.read(reads.read_live) if driven_here is None else driven_here
        now = milliseconds_now()
        return Text("\n".join(_running_line(d, now) for d in live.delegations if d["work_item"] in self._wanted))


def _running_line(delegation: Json, now: int) -> str:
    """Who works on what since when, what it does now, and what it has used so far."""
    d = delegation
    parts = [f"● {d['work_item']} {d['phase']} {d['agent']} {d['subject']} {max(now - d['since'], 0) // 1000} s"]
    if d.get("tokens"):
        price = f"${d['dollars']:,.4f}" if d.get("dollars") is not None else "no price"
        parts.append(f"{d['tokens']:,} tokens, {price}")
    return one_line("  ".join([*parts, str(d.get("doing", ""))]), 200)
