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
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.contract import UsageError
from core.governance import clock, deadlines, escalations, life
from core.store import reads, reads_escalations, rows, states
from core.store.schema import Answer, Escalation
from core.store.writer import Transaction
from tests.unit.escalation_place import DAY, HOUR, MINUTE, YEAR, Place

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

    def teardown(self) -> None:
        self.let_all_fall_due()
        self.place.store.close()
        shutil.rmtree(self.folder)

    def rows(self) -> tuple[rows.EscalationRow, ...]:
        return self.place.read(lambda r: reads_escalations.escalations(r, open_only=False, limit=10_000))

    def pick(self, pick: int, *wanted: str) -> int | None:
        """One of the questions in the wanted states, or of all."""
        now = self.place.clock.now
        found = [row.id for row in self.rows() if not wanted or states.escalation_state(row, now) in wanted]
        return found[pick % len(found)] if found else None

    def tried(self, number: int | None, work: Callable[[Transaction, int], Any]) -> None:
        """Done, or refused in a sentence."""
        if number is None:
            return
        with contextlib.suppress(UsageError):
            self.place.write(lambda tx: work(tx, number))

    @rule(
        n=st.integers(0, 3),
        urgency=st.sampled_from(states.URGENCIES),
        text=st.sampled_from(["Go on?", "Go on now?"]),
        expiry=st.sampled_from([None, None, ("wait", 6 * HOUR), ("", 6 * HOUR), ("wait", 10 * DAY)]),
    )
    def ask(self, n: int, urgency: str, text: str, expiry: tuple[str, int] | None) -> None:
        taken, within = expiry or ("", None)
        facts = {"expires_within_ms": within, "on_expiry": taken or None}
        self.place.ask(n, urgency=urgency, question=text, **facts)

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
        chosen = {self.pick(other, "open", "snoozed") for other in others}
        numbers = [n for n in chosen if n is not None]
        self.tried(self.pick(pick, "open"), lambda tx, n: life.merge(tx, numbers, into=n, by="ada"))

    @rule(pick=picks)
    def press(self, pick: int) -> None:
        self.tried(self.pick(pick), lambda tx, n: life.escalate(tx, n, by="ada"))

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

    @rule(span=st.sampled_from([MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 21 * DAY]))
    def pass_time(self, span: int) -> None:
        self.place.later(span)

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

    @rule()
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
    def the_clock_of_the_open_ones_is_set_and_that_of_the_closed_ones_is_not(self) -> None:
        for row in self.rows():
            is_open = states.escalation_state(row, self.place.clock.now) in ("open", "acknowledged", "snoozed")
            assert row.next_at == (deadlines.next_at(row) if is_open else None), row

    @invariant()
    def a_question_is_one_row_and_its_counter_only_grows(self) -> None:
        waiting = self.place.read(lambda r: r.rows(Escalation.select(Escalation.key).where(reads.is_waiting())))
        assert len(waiting) == len(set(waiting))
        for row in self.rows():
            assert row.count >= self.counts.get(row.id, 1)
            self.counts[row.id] = row.count

    @invariant()
    def the_header_counts_what_the_list_shows(self) -> None:
        now = self.place.clock.now
        counts = self.place.read(lambda r: reads.header_counts(r, now, NOBODY))
        asked = reads_escalations.Asked("needs-me", now)
        listed = self.place.read(lambda r: reads_escalations.page(r, asked))

        assert counts.waiting_for_you == len(listed) == sum(states.needs_me(row, now) for row in self.rows())
        assert counts.overdue == sum(states.is_overdue(row, now) for row in self.rows())

    @invariant()
    def every_answer_says_who_or_what_gave_it(self) -> None:
        given = self.place.read(lambda r: r.rows(Answer.select(Answer.provenance, Answer.by)))
        assert all(provenance in ("human", "rule", "timeout") and by for provenance, by in given)
        in_force = Answer.undone_at.is_null() & ~Answer.late
        answered = self.place.read(lambda r: r.rows(Answer.select(Answer.escalation).where(in_force)))
        resolved = [(row.id,) for row in self.rows() if row.resolved_at is not None]
        assert sorted(answered) == sorted(resolved)


TestEscalationLife = EscalationLife.TestCase
TestEscalationLife.settings = settings(
    max_examples=25, stateful_step_count=40, suppress_health_check=list(HealthCheck), deadline=None
)
