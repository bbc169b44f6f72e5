"""Kills from outside, at moments that nobody chose: when the ledger has grown by a random number of bytes.

One process drives and is killed; or two want the lease and one of them is killed; or the app stands open, drives,
waits for a person, and is killed there, or while another process writes the answer, or that one is.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

from tests.chaos.place import Place, recorded, size
from tests.chaos.way import RUN, Way, next_step
from tests.chaos.zygote import PATIENCE_SECONDS, Zygote

WAY_BYTES = 20_000
"""By which the ledger grows on a way without kills."""
ANSWER_BYTES = 500
LOOK_SECONDS = 0.0005

SITUATIONS = {"one process": 6, "two processes": 2, "the app": 2}
"""What is begun where the work can go on, by how often."""


class RandomWay(Way):
    """A way on which processes are killed until `kills` is reached; seeded, so that it can be gone again."""

    def __init__(self, place: Place, zygote: Zygote) -> None:
        super().__init__(place, zygote)
        self._over: set[int] = set()

    def hurt(self, seed: int, kills: int) -> None:
        """Go on until so many processes were killed, or nothing is left to be killed at."""
        draw, wanted = random.Random(seed), self.tally.kills.total() + kills
        span = 2 * WAY_BYTES // kills
        for _ in range(4 * kills):
            words = next_step(self.place)
            if words is None or self.tally.kills.total() >= wanted:
                return
            (situation,) = draw.choices(tuple(SITUATIONS), tuple(SITUATIONS.values()))
            bytes_ = draw.randrange(1, span)
            self._over.clear()
            if words != RUN:
                self.kill_one(words, draw.randrange(1, ANSWER_BYTES))
            elif situation == "one process":
                self.kill_one(words, bytes_)
            elif situation == "two processes":
                self.kill_one_of_two(words, bytes_, draw.randrange(2))
            else:
                self.kill_around_the_app(
                    bytes_, draw.choice(("app", "answer", "both")), draw.randrange(1, ANSWER_BYTES)
                )

    def kill_one(self, words: tuple[str, ...], bytes_: int) -> None:
        before, start = recorded(self.place), size(self.place.ledger)
        pid = self._start(words)
        self._until(lambda: self._has_grown(start, bytes_) or self.zygote.has_ended(pid))
        self._kill(pid, words)
        self.count(before, start)

    def kill_one_of_two(self, words: tuple[str, ...], bytes_: int, which: int) -> None:
        """Two begin at once; the survivor goes on to where one alone would have come."""
        before, start = recorded(self.place), size(self.place.ledger)
        pids = [self._start(words), self._start(words)]
        self._until(lambda: self._has_grown(start, bytes_) or self.zygote.has_ended(pids[which]))
        self._kill(pids[which], words)
        self.ended(words, self.zygote.wait(pids[1 - which]))
        self.count(before, start)

    def kill_around_the_app(self, bytes_: int, victim: str, answer_bytes: int) -> None:
        """The app drives; where it waits for a person, another process answers at this moment."""
        before, start = recorded(self.place), size(self.place.ledger)
        app = self.zygote.start(self.place.order(app=True, later=self.later))

        def is_far_enough() -> bool:
            return self._has_grown(start, bytes_) or self.zygote.has_ended(app)

        self._until(lambda: is_far_enough() or next_step(self.place) != RUN)
        words = next_step(self.place)
        if not is_far_enough() and words is not None and words != RUN:
            self._answer_beside(app, words, victim, answer_bytes)
        self._kill(app, ("the app",))
        self.count(before, start)

    def _answer_beside(self, app: int, words: tuple[str, ...], victim: str, bytes_: int) -> None:
        since, answer = size(self.place.ledger), self._start(words)
        self._until(lambda: self._has_grown(since, bytes_) or self.zygote.has_ended(answer))
        if victim != "answer":
            self._kill(app, ("the app",))
        if victim == "app":
            self.ended(words, self.zygote.wait(answer))
        else:
            self._kill(answer, words)

    def _start(self, words: tuple[str, ...]) -> int:
        return self.zygote.start(self.place.order(*words, later=self.later))

    def _has_grown(self, start: int, bytes_: int) -> bool:
        return size(self.place.ledger) - start >= bytes_

    def _kill(self, pid: int, words: tuple[str, ...]) -> None:
        """Kill it if it runs, and count how it ended; once."""
        if pid in self._over:
            return
        self._over.add(pid)
        if not self.zygote.has_ended(pid):
            os.kill(pid, signal.SIGKILL)
        self.ended(words, self.zygote.wait(pid))

    @staticmethod
    def _until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
