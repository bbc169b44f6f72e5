from __future__ import annotations

from collections.abc import Callable

from tui.pace import CHEAP_SECONDS, Pace


class Later:
    """Takes down what is to be called back, and after how many seconds."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []
        self.asked = 0

    def pace(self) -> Pace:
        return Pace(lambda wait, call: self.calls.append((wait, call)), self._ask)

    def _ask(self) -> None:
        self.asked += 1


def test_what_is_cheap_may_be_read_as_often_as_one_likes() -> None:
    later = Later()
    pace = later.pace()
    assert pace.is_due()
    pace.took(CHEAP_SECONDS)
    assert pace.is_due()
    assert later.calls == []


def test_what_is_dear_waits_and_is_asked_for_once_when_it_may_be_read() -> None:
    later = Later()
    pace = later.pace()
    pace.took(1_000.0)
    assert not pace.is_due()
    assert not pace.is_due()
    [(wait, call)] = later.calls
    assert 9_000 < wait <= 10_000
    call()
    assert later.asked == 1
    assert not pace.is_due()
    assert len(later.calls) == 2, "it is asked for again, since it still waits"


def test_a_reading_that_has_become_cheap_waits_no_more() -> None:
    pace = Later().pace()
    pace.took(1_000.0)
    pace.took(0.001)
    assert pace.is_due()
