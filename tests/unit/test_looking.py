from __future__ import annotations

import pytest

from core.store.looking import LOOK_SECONDS, Looking


class Log:
    """The mark of a store, and the time."""

    mark, now = (0, 0), 100.0

    def write_mark(self) -> tuple[int, int]:
        return self.mark

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def log() -> Log:
    return Log()


def test_the_first_look_is_due_and_the_next_one_only_after_a_write(log: Log) -> None:
    look = Looking(log, log.monotonic)
    assert [look.is_due(), look.is_due()] == [True, False]
    log.mark = (1, 0)
    assert [look.is_due(), look.is_due()] == [True, False]


def test_it_is_due_after_a_while_although_nobody_wrote(log: Log) -> None:
    look = Looking(log, log.monotonic)
    assert look.is_due()
    log.now += LOOK_SECONDS - 0.1
    assert not look.is_due()
    log.now += 0.1
    assert look.is_due()
