"""The short form of the chaos suite: a process is killed at each kind of transition and of outward act, once.

`make chaos` kills at all of them, before and after, and at random moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.counting import account
from tests.chaos.driver import EACH_KIND, kind_of, read_lines
from tests.chaos.place import Place, prepare
from tests.chaos.way import Way
from tests.chaos.zygote import Zygote

ONLY_BY_CHANCE = {"notification.suppressed"}
"""Kinds of events that a way has only where it was killed at another moment before."""


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    with Zygote() as forking:
        yield forking


def test_killed_at_each_kind_of_transition_a_work_item_is_done_once(tmp_path: Path, zygote: Zygote) -> None:
    place = Place(tmp_path / "place")
    prepare(place, zygote)
    way = Way(place, zygote, (EACH_KIND,))

    way.go()

    lines = read_lines(place.ledger)
    killed, passed = ({kind_of(key) for what, key in lines if what == which} for which in ("killed", "passed"))
    assert account(place, zygote, way.tally).faults == ()
    assert passed - killed <= ONLY_BY_CHANCE
    assert way.tally.kills.total() > 25
