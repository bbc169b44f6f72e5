"""A provider that fails is left alone, for longer each time, and tried by one call when its time is up."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.runtimes.base import Unavailable
from core.runtimes.models.breaker import FIRST_REST, LONGEST_ASKED_REST, LONGEST_REST, Admission, Breaker, State


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("anthropic", clock)


def test_an_open_breaker_says_who_why_and_for_how_long(breaker: Breaker, clock: Clock) -> None:
    breaker.open(breaker.admit(), "its quota is gone", asked=90)
    clock.now += 20

    with pytest.raises(Unavailable) as refused:
        breaker.admit()

    assert (refused.value.provider, refused.value.why, refused.value.retry_seconds) == (
        "anthropic",
        "its quota is gone",
        70,
    )


def test_one_call_tries_when_the_time_is_up_and_the_others_wait(breaker: Breaker, clock: Clock) -> None:
    breaker.open(breaker.admit(), "down")
    clock.now += FIRST_REST

    trial = breaker.admit()
    with pytest.raises(Unavailable):
        breaker.admit()
    breaker.close(trial)

    assert not breaker.admit().trial


def test_a_trial_that_fails_is_followed_by_a_longer_rest_and_one_that_succeeds_by_a_short_one(
    breaker: Breaker, clock: Clock
) -> None:
    rests = []
    for _ in range(8):
        breaker.open(breaker.admit(), "down")
        rests.append(breaker.remaining)
        clock.now += breaker.remaining
    breaker.close(breaker.admit())
    breaker.open(breaker.admit(), "down")

    assert rests == [30, 60, 120, 240, 480, 900, 900, 900]
    assert breaker.remaining == FIRST_REST


def test_a_cancelled_trial_leaves_the_trial_to_the_next_call(breaker: Breaker, clock: Clock) -> None:
    breaker.open(breaker.admit(), "down")
    clock.now += FIRST_REST

    breaker.release(breaker.admit())

    assert breaker.admit().trial


def test_calls_that_fail_together_are_one_failure(breaker: Breaker) -> None:
    together = [breaker.admit() for _ in range(50)]

    for admission in together:
        breaker.open(admission, "down")

    assert breaker.remaining == FIRST_REST


def test_what_an_old_call_learns_changes_nothing_after_a_trial_succeeded(breaker: Breaker, clock: Clock) -> None:
    old = breaker.admit()
    breaker.open(breaker.admit(), "down")
    clock.now += FIRST_REST
    breaker.close(breaker.admit())

    raised = breaker.open(old, "down")

    assert breaker.state is State.CLOSED
    assert raised.retry_seconds > 0


class BreakerLife(RuleBasedStateMachine):
    """Whatever order calls come and end in, and whatever they learn."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker("anthropic", self.clock)
        self.running: list[Admission] = []
        self.no_call_before = 0.0

    @rule()
    def send(self) -> None:
        before = self.breaker.state
        if self.breaker.remaining:
            with pytest.raises(Unavailable) as refused:
                self.breaker.admit()
            assert before is not State.CLOSED
            assert refused.value.retry_seconds > 0
        else:
            admission = self.breaker.admit()
            assert self.clock.now >= self.no_call_before
            assert admission.trial == (before is State.OPEN)
            self.running.append(admission)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        admission = self._one(data)
        was = self.breaker.state
        self.breaker.close(admission)
        if was is State.TRIAL and not admission.trial:
            assert self.breaker.state is State.TRIAL
        if was is State.OPEN:
            assert self.breaker.state is State.OPEN

    @precondition(lambda self: self.running)
    @rule(data=st.data(), asked=st.none() | st.floats(0, 1e9))
    def fail(self, data: st.DataObject, asked: float | None) -> None:
        before = self.breaker.remaining if self.breaker.state is State.OPEN else None
        raised = self.breaker.open(self._one(data), "down", asked)
        assert raised.retry_seconds > 0
        if self.breaker.state is State.OPEN:
            self.no_call_before = self.clock.now + self.breaker.remaining
            assert self.breaker.remaining <= max(LONGEST_REST, min(asked or 0, LONGEST_ASKED_REST), before or 0)
        if before is not None:
            assert self.breaker.remaining == before

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end_without_a_verdict(self, data: st.DataObject) -> None:
        was = self.breaker.state
        self.breaker.release(self._one(data))
        assert (self.breaker.state is State.CLOSED) == (was is State.CLOSED)

    @rule(seconds=st.floats(0, 2_000))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def one_trial_at_a_time(self) -> None:
        under_way = [
            admission
            for admission in self.running
            if admission.trial and admission.generation == self.breaker._generation
        ]
        assert len(under_way) == (1 if self.breaker.state is State.TRIAL else 0)

    def _one(self, data: st.DataObject) -> Admission:
        return self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))


TestBreakerLife = BreakerLife.TestCase
