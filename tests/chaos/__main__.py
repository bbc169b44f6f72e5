"""`make chaos`: killed at every transition and outward act, before and after, and at 200 random moments.

Two lines of work run side by side, each with a place of its own; a table says what came of it, worst first, and the
exit code is 1 when anything is not as it must be.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.chaos.counting import Account, account, whole
from tests.chaos.demo import kill_in_the_demo
from tests.chaos.driver import NEXT, kind_of, read_lines
from tests.chaos.moments import RandomWay
from tests.chaos.place import Place, prepare
from tests.chaos.way import Tally, Way
from tests.chaos.zygote import Zygote

MOMENTS = 200
KILLS_PER_WAY = 10
SEED = 20_260_101
VERIFIED_EVERY = 5
"""Kills from one `audit verify` to the next, besides the one at the end of each way."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one part of the suite came to."""

    name: str
    ways: int
    tally: Tally
    account: Account

    @property
    def figures(self) -> tuple[int, ...]:
        found = self.account
        return (
            *(self.ways, self.tally.kills.total(), self.tally.processes, self.tally.executed),
            *(len(found.twice), len(found.acts_twice), len(found.questions_lost), len(found.other)),
        )


HEADS = ("ways", "kills", "processes", "executed", "executed twice", "acts twice", "questions lost", "other faults")


def main() -> int:
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="apm-chaos-"))
    try:
        with ThreadPoolExecutor(2) as lines:
            parts = [lines.submit(_first_line, home / "one"), lines.submit(_second_line, home / "two")]
            rows = [row for part in parts for row in part.result()]
    finally:
        shutil.rmtree(home, ignore_errors=True)
    rows = _merged(rows)
    _show(rows)
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if any(row.account.faults for row in rows) else 0


def _first_line(folder: Path) -> list[Row]:
    with Zygote() as zygote:
        return [
            _at_every_transition(folder, zygote, "every transition", asks=False),
            *_at_random(folder, zygote, SEED, MOMENTS // 2),
        ]


def _second_line(folder: Path) -> list[Row]:
    with Zygote() as zygote:
        tally, found = kill_in_the_demo(folder / "demo", zygote)
        return [
            Row("the demo, real tools", 1, tally, found),
            _at_every_transition(folder, zygote, "every transition, deployment unknown", asks=True),
            *_at_random(folder, zygote, SEED + 1_000, MOMENTS // 2),
        ]


def _at_every_transition(folder: Path, zygote: Zygote, name: str, *, asks: bool) -> Row:
    """A way that nobody is killed on says which kinds of points there are; then each point kills a process."""
    place = Place(folder / ("asking" if asks else "place"))
    prepare(place, zygote, asks=asks)
    kept = folder / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    place.keep(kept)
    Way(place, zygote).go()
    listed = _sides(place, "passed")
    place.restore(kept)
    way = Way(place, zygote, (NEXT,))
    way.after_kill = _verifying(way, count())
    way.go()
    killed = _sides(place, "killed")
    row = Row(name, 1, way.tally, account(place, zygote, way.tally))
    for kind in sorted(listed.keys() - killed.keys()):
        # So many kills before it lead past some: a notice that nobody could send is dropped with its question.
        place.restore(kept)
        way = Way(place, zygote, (listed[kind],))
        if not way.go().kills:
            way.tally.faults.append(f"nobody was killed {listed[kind]}, which a way without kills passes")
        row = _added(row, Row(name, 1, way.tally, account(place, zygote, way.tally)))
    return row


def _sides(place: Place, what: str) -> dict[tuple[str, str], str]:
    """By side and kind, a point that was passed or killed at."""
    return {(key.split()[0], kind_of(key)): key for told, key in read_lines(place.ledger) if told == what}


def _verifying(way: Way, kills: Iterator[int]) -> Callable[[], None]:
    def verify() -> None:
        if next(kills) % VERIFIED_EVERY == 0:
            way.tally.faults += whole(way.place, way.zygote)

    return verify


def _at_random(folder: Path, zygote: Zygote, seed: int, kills: int) -> Iterator[Row]:
    """Ways with random kills, each from the same beginning, until there were so many."""
    place, kept = Place(folder / "random"), folder / "random.kept"
    prepare(place, zygote)
    place.keep(kept)
    made = 0
    for number in count(seed):
        place.restore(kept)
        way = RandomWay(place, zygote)
        way.hurt(number, min(KILLS_PER_WAY, kills - made))
        way.go()
        found = account(place, zygote, way.tally)
        made += way.tally.kills.total()
        for fault in found.faults:
            print(f"with the seed {number}: {fault}", file=sys.stderr)
        yield Row("random moments", 1, way.tally, found)
        if made >= kills:
            return


def _merged(rows: list[Row]) -> list[Row]:
    """One row a name, the worst first."""
    found: dict[str, Row] = {}
    for row in rows:
        known = found.get(row.name)
        found[row.name] = row if known is None else _added(known, row)
    return sorted(found.values(), key=lambda row: (-len(row.account.faults), -row.tally.kills.total()))


def _added(one: Row, other: Row) -> Row:
    tally = Tally(
        one.tally.processes + other.tally.processes,
        one.tally.kills + other.tally.kills,
        one.tally.executed + other.tally.executed,
    )
    a, b = one.account, other.account
    both = Account(
        a.twice + b.twice, a.acts_twice + b.acts_twice, a.questions_lost + b.questions_lost, a.other + b.other
    )
    return Row(one.name, one.ways + other.ways, tally, both)


def _show(rows: list[Row]) -> None:
    wide = max(len(row.name) for row in rows)
    print(f"{'':{wide}}  " + "  ".join(HEADS))
    for row in rows:
        figures = (f"{value:>{len(head)}}" for head, value in zip(HEADS, row.figures, strict=True))
        print(f"{row.name:{wide}}  " + "  ".join(figures))
    kills: Counter[str] = sum((row.tally.kills for row in rows), Counter())
    print("killed while in: " + ", ".join(f"{where} {number}" for where, number in kills.most_common()))
    for row in rows:
        for fault in row.account.faults:
            print(f"{row.name}: {fault}")


if __name__ == "__main__":
    sys.exit(main())
