"""A question's whole life in any order, with a clock that runs, jumps and is put back."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.contract import UsageError
from core.governance import asking, clock, deadlines, escalations, life
from core.store import reads, reads_escalations, reads_team, rows, states
from core.store.reads_team import Waiting
from core.store.schema import Answer, Escalation
from core.store.store import Reader
from core.store.transaction import Transaction
from tests.unit.escalation_place import DAY, HOUR, MINUTE, YEAR, Place
from tui.questions import works as question_works

NOBODY = rows.LiveRow(False, None, (), ())
BY_CLOCK = frozenset({"reminded", "acknowledgement_ended", "snooze_ended", "expired", "rescheduled"})
CLOSES = frozenset({"resolved", "withdrawn", "expired"})
OPENS = frozenset({"undone", "separated"})

picks = st.integers(0, 9)


class Story:
    """What the events of one question say, in their order."""

    def __init__(self) -> None:
        self.is_closed = False
        self.breaches = 0
        self.reminders = 0
        self.seen: Counter[str] = Counter()

    def take(self, kind: str, by: str | None) -> None:
        is_breach = kind == "escalated" and by == "clock"
        assert not (self.is_closed and (kind in BY_CLOCK or is_breach)), f"closed, and yet {kind}"
        self.seen[kind] += 1
        self.is_closed = kind in CLOSES or (self.is_closed and kind not in OPENS)
        self.breaches += is_breach
        self.reminders = 0 if kind == "undone" else self.reminders + (kind == "reminded")
        assert self.breaches <= 1
        assert self.reminders <= len(deadlines.REMIND_AFTER_MS)
        assert self.seen["snooze_ended"] <= self.seen["snoozed"]
        assert self.seen["acknowledgement_ended"] <= self.seen["acknowledged"]


class EscalationLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.place = Place(self.folder)
        self.stories: dict[int, Story] = {}
        self.counts: dict[int, int] = {}
        self.read_to = 0
        self.subjects: dict[int, int] = {}
        self.done: list[question_works.Work] = []
        self.known: tuple[rows.EscalationRow, ...] = ()
        """Every question as it was after the last step."""

    def teardown(self) -> None:
        self.let_all_fall_due()
        self.place.store.close()
        shutil.rmtree(self.folder)

    def rows(self) -> tuple[rows.EscalationRow, ...]:
        return self.place.read(lambda r: reads_escalations.escalations(r, open_only=False, limit=10_000))

    def pick(self, pick: int, *wanted: str) -> int | None:
        """One of the questions in the wanted states, or of all."""
        now = self.place.clock.now
        found = [row.id for row in self.known if not wanted or states.escalation_state(row, now) in wanted]
        return found[pick % len(found)] if found else None

    def tried(self, number: int | None, work: Callable[[Transaction, int], Any]) -> None:
        """Done, or refused in a sentence."""
        if number is None:
            return
        with contextlib.suppress(UsageError):
            self.place.write(lambda tx: work(tx, number))

    @initialize()
    def ask_some(self) -> None:
        for n, urgency in enumerate((*states.URGENCIES, "DAILY")):
            self.ask(n, urgency, "Go on?", None)
        self.ask(4, "DAILY", "Go on?", ("wait", 2 * DAY))

    @rule(
        n=st.integers(0, 5),
        urgency=st.sampled_from(states.URGENCIES),
        text=st.sampled_from(["Go on?", "Go on now?"]),
        expiry=st.sampled_from([None, None, ("wait", 6 * HOUR), ("", 6 * HOUR), ("wait", 10 * DAY)]),
    )
    def ask(self, n: int, urgency: str, text: str, expiry: tuple[str, int] | None) -> None:
        taken, within = expiry or ("", None)
        facts = {"expires_within_ms": within, "on_expiry": taken or None}
        number = self.place.ask(n, urgency=urgency, question=text, **facts)
        self.subjects[number] = n

    @rule(pick=picks)
    def ask_the_same_anew(self, pick: int) -> None:
        number = self.pick(pick, "resolved", "merged", "expired")
        if number is not None:
            self.ask(self.subjects[number], "DAILY", "Go on?", None)

    @rule(pick=picks, minutes=st.sampled_from([1, 30, 24 * 60, 10 * 24 * 60]))
    def acknowledge(self, pick: int, minutes: int) -> None:
        self.tried(self.pick(pick, "open"), lambda tx, n: life.acknowledge(tx, n, by="ada", minutes=minutes))

    @rule(pick=picks, span=st.sampled_from([MINUTE, 3 * HOUR, 3 * DAY, 60 * DAY]))
    def snooze(self, pick: int, span: int) -> None:
        number = self.pick(pick, "open", "acknowledged")
        self.tried(number, lambda tx, n: life.snooze(tx, n, until=tx.now + span, by="ada"))

    @rule(pick=picks)
    def assign(self, pick: int) -> None:
        self.tried(self.pick(pick), lambda tx, n: life.assign(tx, n, to="grace", by="ada", note="yours"))

    @rule(pick=picks, others=st.lists(picks, min_size=1, max_size=3))
    def merge(self, pick: int, others: list[int]) -> None:
        target = self.pick(pick, "open")
        chosen = [self.pick(other, "open", "snoozed") for other in others]
        numbers = [n for n in chosen if n is not None and n != target]
        self.tried(target, lambda tx, n: life.merge(tx, numbers, into=n, by="ada"))

    @rule(pick=picks)
    def press(self, pick: int) -> None:
        self.tried(self.pick(pick), lambda tx, n: life.escalate(tx, n, by="ada"))

    @rule(pick=picks, how=st.integers(0, 5))
    def do_and_remember(self, pick: int, how: int) -> None:
        """What can be taken back is done as the app does it."""
        number = self.pick(pick, "open", "acknowledged", "snoozed")
        if number is None:
            return
        row, now = self.place.row(number), self.place.clock.now
        others = [r.id for r in self.known if r.id != number and states.escalation_state(r, now) == "open"]
        work = (
            lambda: question_works.acknowledge_work(row, "ada"),
            lambda: question_works.snooze_work(row, now + 3 * HOUR, "ada"),
            lambda: question_works.assign_work(row, "grace", "yours", "ada"),
            lambda: question_works.escalate_work(row, "now", "ada"),
            lambda: question_works.ask_work(row, "How long?", "ada"),
            lambda: question_works.merge_work(others[:2], number, "ada"),
        )[how]()
        with contextlib.suppress(UsageError):
            self.place.write(work)
            self.done.append(work)

    @rule()
    def take_the_last_back(self) -> None:
        if self.done:
            with contextlib.suppress(UsageError):
                self.place.write(self.done.pop().back)

    @rule(pick=picks)
    def reply(self, pick: int) -> None:
        self.tried(self.pick(pick, "open", "acknowledged"), lambda tx, n: asking.reply(tx, n, "so", by="grace"))

    @rule(pick=picks, option=st.sampled_from(["go", "wait", "stop"]), provenance=st.sampled_from(["human", "rule"]))
    def answer(self, pick: int, option: str, provenance: str) -> None:
        given = {"option": option, "reason": "so", "by": "ada", "provenance": provenance}
        number = self.pick(pick, "open", "acknowledged", "snoozed")
        self.tried(number, lambda tx, n: escalations.resolve(tx, n, **given))

    @rule(pick=picks)
    def answer_too_late(self, pick: int) -> None:
        number = self.pick(pick, "expired", "withdrawn", "merged", "resolved")
        self.tried(number, lambda tx, n: escalations.resolve(tx, n, option="go", by="ada"))

    @rule(pick=picks)
    def withdraw(self, pick: int) -> None:
        self.tried(self.pick(pick, "open", "snoozed"), lambda tx, n: escalations.withdraw(tx, n, why="so"))

    @rule(pick=picks)
    def undo(self, pick: int) -> None:
        self.tried(self.pick(pick, "resolved"), lambda tx, n: life.undo(tx, n, by="ada"))

    @rule(span=st.sampled_from([DAY, 3 * DAY, 21 * DAY, 5 * HOUR, HOUR, MINUTE]), is_awake=st.booleans())
    def pass_time(self, span: int, is_awake: bool) -> None:
        self.place.later(span)
        if is_awake:
            self.sweep()

    @rule(span=st.sampled_from([-YEAR, -3 * DAY, -HOUR, -1_000, YEAR]))
    def put_the_clock(self, span: int) -> None:
        self.place.clock.now += span
        self.sweep()

    @rule()
    def sweep(self) -> None:
        """Until it is quiet; then nothing is due, and nothing that is not put away waits longer than it may."""
        for _ in range(10):
            if not self.place.sweep():
                break
        else:
            raise AssertionError("a sweep never comes to its end")
        now = self.place.clock.now
        for row in self.rows():
            assert row.next_at is None or row.next_at > now
            silent = states.escalation_state(row, now) in ("snoozed", "acknowledged")
            if row.next_at is not None and row.urgency != "WEEKLY" and not silent and row.expires_at is None:
                assert row.next_at <= now + DAY + clock.SLACK_MS

    @rule()
    def restart(self) -> None:
        self.place.reopen()

    def let_all_fall_due(self) -> None:
        """From one moment to the next until nothing is left: every open question was breached and reminded of."""
        for _ in range(200):
            self.sweep()
            moment = self.place.read(clock.next_moment)
            if moment is None:
                break
            self.place.clock.now = moment
        else:
            raise AssertionError("the clock never comes to its end")
        for row in self.rows():
            if states.escalation_state(row, self.place.clock.now) == "open" and row.urgency != "WEEKLY":
                assert (row.urgency, row.reminders) == ("IMMEDIATE", len(deadlines.REMIND_AFTER_MS))

    @invariant()
    def what_is_closed_never_strikes_and_each_deadline_strikes_once(self) -> None:
        for event in self.place.read(lambda r: reads.events(r, after=self.read_to, limit=10_000)):
            self.read_to = event.seq
            kind = event.kind.removeprefix("escalation.")
            self.stories.setdefault(event.payload["escalation"], Story()).take(kind, event.payload.get("by"))
            for merged in event.payload.get("merged", ()):
                self.stories[merged].is_closed = True

    @invariant()
    def what_is_written_down_agrees(self) -> None:
        now = self.place.clock.now
        self.known, counts, listed, waiting, answers = self.place.read(lambda r: read_all(r, now))
        self.check_clocks(now)
        self.check_rows(waiting)
        self.check_answers(answers)
        assert counts.needs_me == listed == sum(states.needs_me(row, now) for row in self.known)
        assert counts.overdue == sum(states.is_overdue(row, now) for row in self.known)

    def check_clocks(self, now: int) -> None:
        """The clock of the open ones is set, and that of the closed ones is not."""
        for row in self.known:
            is_open = states.escalation_state(row, now) in ("open", "acknowledged", "snoozed")
            assert row.next_at == (deadlines.next_at(row) if is_open else None), row

    def check_rows(self, waiting: list[str]) -> None:
        """A question is one row, and its own counter only grows, whatever it counts of those merged into it."""
        assert len(waiting) == len(set(waiting))
        merged = Counter[int]()
        for row in self.known:
            if row.merged_into is not None:
                merged[row.merged_into] += row.count
        for row in self.known:
            assert row.count - merged[row.id] >= self.counts.get(row.id, 1)
            self.counts[row.id] = row.count - merged[row.id]

    def check_answers(self, answers: list[tuple[Any, ...]]) -> None:
        """Every answer says who or what gave it, and what is answered has one in force."""
        assert all(provenance in ("human", "rule", "timeout") and by for _, provenance, by, *_ in answers)
        in_force = [number for number, _, _, undone_at, late in answers if undone_at is None and not late]
        assert sorted(in_force) == sorted(row.id for row in self.known if row.resolved_at is not None)


def read_all(
    reader: Reader, now: int
) -> tuple[tuple[rows.EscalationRow, ...], Waiting, int, list[str], list[tuple[Any, ...]]]:
    """Every question, the header's figures, how long the list of what needs somebody is, the keys that wait, and all
    answers."""
    found = reads_escalations.escalations(reader, open_only=False, limit=10_000)
    listed = reads_escalations.page(reader, reads_escalations.Asked("needs-me", now))
    waiting = [key for (key,) in reader.rows(Escalation.select(Escalation.key).where(reads.is_waiting()))]
    answers = reader.rows(Answer.select(Answer.escalation, Answer.provenance, Answer.by, Answer.undone_at, Answer.late))
    return found, reads_team.waiting(reader, now), len(listed), waiting, answers


TestEscalationLife = EscalationLife.TestCase
TestEscalationLife.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=list(HealthCheck), deadline=None
)
