"""Sending what is queued: the console and the file at once, every channel outside the house beside the others.

A notice is sent outside at least once, not exactly once: whether a mail server took a mail whose answer never came
cannot be asked, and one mail too many is better than a question that nobody hears of. It is claimed before it is sent,
so a repeat comes after a span, a few times at most, and only where the answer was lost. The file can be asked, and
has each notice once.

Sending happens outside of any transaction and in another process, so neither the writer nor the event loop waits for
a server. A channel that lets its time limit pass is left alone for the rest of a delivery; the others go on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from core.contract import ApmError
from core.governance.notices import claims, planning
from core.governance.notices.channels import CONSOLE, FILE, HOUSE, Channel, Channels, read_channels
from core.governance.notices.claims import Claim, Result
from core.governance.notices.log_file import append, lines_among, log_path
from core.governance.notices.outside import SENT, Outcome, send
from core.redaction import Redactor, secrets_of
from core.sanitise import one_line
from core.store.rows_governance import NotificationRow
from core.store.store import Reader
from core.store.transaction import Transaction

T = TypeVar("T")

AT_A_TIME = 100
"""Rows of one claim for the console and the file. Outside it is one: a claim holds for a minute."""
HOUSE_SECONDS = 1.0
"""How often the house is told of what is new while a channel outside takes its time."""
LINE_CHARACTERS = 400
NOT_CONFIGURED = "the channel is not configured any more"


class Writes(Protocol):
    """A store, or one whose writes are fenced."""

    def read(self, work: Callable[[Reader], T]) -> Awaitable[T]: ...
    def write(self, work: Callable[[Transaction], T]) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery did. `next_try_at` (milliseconds) is when the next one has something to do, None for never.

    `faults` say of channels that cannot be used now why that is so; what waits for them is kept.
    """

    sent: int
    failed: int
    suppressed: int
    next_try_at: int | None
    faults: tuple[str, ...] = ()


async def deliver(
    store: Writes,
    state: Path,
    console: Callable[[str], None],
    *,
    environment: Mapping[str, str] = os.environ,
) -> Delivered:
    """Plan what is new, then send what is due until nothing is; `console` takes a line for each notice.

    Channels that cannot be reached make no error: their notices are put off, and fail for good in the end.
    """
    return await _Delivery(store, state, console, environment).run()


@dataclass(slots=True)
class _Delivery:
    """One call's work."""

    store: Writes
    state: Path
    console: Callable[[str], None]
    environment: Mapping[str, str]
    channels: Channels | None = None
    """None while the channels' file cannot be read: those that were known stay known, and wait."""
    known_before: frozenset[str] = frozenset()
    usable: dict[str, Channel] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    sent: int = 0
    failed: int = 0
    suppressed: int = 0
    under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    hung: set[str] = field(default_factory=set)
    redactor: Redactor = field(default_factory=Redactor)
    """Knows what apm itself was given: a row may have been written where that was not known."""

    async def run(self) -> Delivered:
        await self._read_channels()
        try:
            await self._send_all()
        finally:
            for task in self.under_way.values():
                task.cancel()
            await asyncio.gather(*self.under_way.values(), return_exceptions=True)
        names = [*HOUSE, *self.usable]
        moment = await self.store.read(lambda reader: claims.next_try_at(reader, names))
        return Delivered(self.sent, self.failed, self.suppressed, moment, tuple(self.faults))

    async def _read_channels(self) -> None:
        self.known_before = await self.store.read(planning.known_names)
        try:
            self.channels = await asyncio.to_thread(read_channels, self.state)
        except ApmError as error:
            self.faults.append(str(error))
        for channel in self.channels.outside if self.channels else ():
            if missing := channel.missing(self.environment):
                self.faults.append(f"The channel {channel.name} needs the variable {missing[0]}, which is not set.")
            else:
                self.usable[channel.name] = channel
        of_channels = (channel.secrets(self.environment) for channel in self.usable.values())
        self.redactor = Redactor(secrets_of(self.environment).union(*of_channels))
        for fault in self.faults:
            await self.store.write(partial(planning.tell_fault, fault=fault))

    async def _send_all(self) -> None:
        while True:
            await self._tell_house()
            waiting = await self.store.write(claims.waiting)
            await self._drop_strangers(set(waiting))
            for name in sorted(self.usable.keys() & {name for name, is_due in waiting.items() if is_due}):
                if name not in self.under_way and name not in self.hung:
                    self.under_way[name] = asyncio.create_task(self._send_outside(name), name=f"apm-notices-{name}")
            if not self.under_way:
                return
            await asyncio.wait(self.under_way.values(), timeout=HOUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for name in [name for name, task in self.under_way.items() if task.done()]:
                self.under_way.pop(name).result()

    async def _tell_house(self) -> None:
        """Plan and send by turns: each claim looks at all that waits, which so stays little however much has come."""
        is_done = False
        while not is_done:
            planned = await self.store.write(lambda tx: planning.plan_some(tx, self.channels))
            await self._send_in_house()
            is_done = planned.is_done

    async def _drop_strangers(self, waiting: set[str]) -> None:
        if self.channels is None:
            return
        strangers = waiting - set(HOUSE) - self.channels.by_name.keys()
        # A file that is being saved is gone for a moment: what was known a moment ago is given until the next delivery.
        for name in sorted(strangers - self.known_before):
            dropped = await self.store.write(partial(claims.drop, channel=name, why=NOT_CONFIGURED))
            self.failed += dropped

    async def _send_in_house(self) -> None:
        ways = {CONSOLE: self._send_to_console, FILE: self._send_to_file}
        for name, way in ways.items():
            while not (claim := await self._claim(name, AT_A_TIME)).is_empty:
                await self._settle(name, await way(claim.rows))

    async def _send_outside(self, name: str) -> None:
        """Send what is due for a channel, one notice after the other, until nothing is or its time limit passes."""
        channel = self.usable[name]
        while not (claim := await self._claim(name, 1)).is_empty:
            for row in claim.rows:
                outcome = await send(channel, row.subject, row.body, self.environment)
                if outcome.hung:
                    self.hung.add(name)
                await self._settle(name, [Result(row, outcome)])
            if name in self.hung:
                return

    async def _send_to_console(self, rows: tuple[NotificationRow, ...]) -> list[Result]:
        return [Result(row, self._printed(row)) for row in rows]

    def _printed(self, row: NotificationRow) -> Outcome:
        try:
            self.console(line_of(row))
        except Exception as error:
            # A screen that is gone takes nothing; the file has it, and the row says what happened.
            return Outcome(f"the console takes no line ({type(error).__name__})")
        return SENT

    async def _send_to_file(self, rows: tuple[NotificationRow, ...]) -> list[Result]:
        log = log_path(self.state)
        try:
            # Of one that was claimed before, the process may have died between the line and its record.
            doubtful = [log_line_of(row) for row in rows if row.attempts]
            there = await asyncio.to_thread(lines_among, log, doubtful) if doubtful else frozenset()
            lines = [line for line in map(log_line_of, rows) if line not in there]
            await asyncio.to_thread(append, log, lines)
        except OSError as error:
            outcome = Outcome(f"the log cannot be written ({(error.strerror or 'OSError').lower()})")
            return [Result(row, outcome) for row in rows]
        return [Result(row, SENT) for row in rows]

    async def _claim(self, name: str, most: int) -> Claim:
        claim = await self.store.write(lambda tx: claims.claim(tx, name, most))
        self.suppressed += claim.suppressed
        self.failed += claim.failed
        known = self.redactor.known
        return replace(
            claim, rows=tuple(replace(row, subject=known(row.subject), body=known(row.body)) for row in claim.rows)
        )

    async def _settle(self, name: str, results: list[Result]) -> None:
        if not results:
            return
        await self.store.write(lambda tx: claims.settle(tx, name, results))
        self.sent += sum(result.outcome.is_sent for result in results)
        self.failed += sum(map(claims.is_last, results))


_MORE: Mapping[str, str] = {
    "briefing.made": "apm briefing",
    "scope.reviewed": "apm scope list",
    "scope.proposed": "apm scope list",
    "scope.asked": "apm scope list",
    "digest": "apm escalation list",
    "fault": "apm doctor",
}
"""The command that shows more, by the beginning of a notice's key."""


def line_of(row: NotificationRow) -> str:
    """A notice on one line, with the command that shows all of it."""
    command = _MORE.get(row.key.partition(":")[0], "")
    if row.escalation is not None:
        command = f"apm escalation show {row.escalation}"
    return one_line(f"{row.subject} ({command})" if command else row.subject, LINE_CHARACTERS)


def log_line_of(row: NotificationRow) -> str:
    at = datetime.fromtimestamp(row.at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{at} {line_of(row)}"
