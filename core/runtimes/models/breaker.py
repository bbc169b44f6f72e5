"""A provider that answers nobody is left alone: nothing is sent until its time is up, then one call tries.

    closed ── it has failed ──> open ── time is up ──> trial ── it answered ──> closed
                                 ^                       │
                                 └──── it failed again ──┘   for twice as long, up to a limit

It belongs to one event loop: nothing here waits, so nothing comes between a look and a change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.runtimes.base import Unavailable

FIRST_REST = 30.0
"""Seconds without a call after the first failure; twice as many after each further one."""

LONGEST_REST = 15 * 60.0
LONGEST_ASKED_REST = 24 * 60 * 60.0
"""What a provider asks for is kept to, but not for weeks: a header may be wrong."""


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Admission:
    """That a call may be sent, and under which state of the breaker: what it learns counts only for that one.

    Fifty calls that fail together are one failure, and an answer to an old call says nothing about the quota of now.
    """

    generation: int
    trial: bool


class Breaker:
    """Whether calls may be sent to `provider` now. `clock` gives seconds that only grow."""

    def __init__(
        self,
        provider: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        first: float = FIRST_REST,
        longest: float = LONGEST_REST,
    ) -> None:
        self.provider = provider
        self.why = ""
        self._clock, self._first, self._longest = clock, first, longest
        self._state = State.CLOSED
        self._generation = 0
        self._until = 0.0
        self._rests = 0

    @property
    def state(self) -> State:
        """OPEN also when its time is up and no call has come to try."""
        return self._state

    @property
    def remaining(self) -> float:
        """Seconds until a call may try; 0 when one may."""
        if self._state is State.CLOSED:
            return 0.0
        if self._state is State.TRIAL:
            return self._first
        return max(0.0, self._until - self._clock())

    def admit(self) -> Admission:
        """Leave to send one call, which ends in `close`, `open` or `release`. Raises Unavailable."""
        if self._state is State.CLOSED:
            return Admission(self._generation, trial=False)
        if self.remaining > 0:
            raise Unavailable(self.provider, self.why, self.remaining)
        self._become(State.TRIAL)
        return Admission(self._generation, trial=True)

    def close(self, admission: Admission) -> None:
        """The provider answered."""
        if admission.generation == self._generation and admission.trial:
            self._become(State.CLOSED)
            self.why, self._rests = "", 0

    def open(self, admission: Admission, why: str, asked: float | None = None) -> Unavailable:
        """The provider takes no calls, and `asked` for so many seconds of rest. Returns what to raise for this call."""
        if admission.generation == self._generation:
            rest = min(self._first * 2**self._rests, self._longest)
            self._rests = min(self._rests + 1, 30)
            self._until = self._clock() + max(rest, min(asked or 0.0, LONGEST_ASKED_REST))
            self.why = why
            self._become(State.OPEN)
        return Unavailable(self.provider, why, self.remaining or self._first)

    def release(self, admission: Admission) -> None:
        """The call has ended and says nothing about the provider: a trial is left to the next call."""
        if admission.generation == self._generation and admission.trial:
            self._become(State.OPEN)

    def _become(self, state: State) -> None:
        self._state = state
        self._generation += 1
