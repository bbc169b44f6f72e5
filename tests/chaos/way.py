"""One work item's whole way, each step a process that may be killed: made, driven, asked about, answered, released."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.place import TITLE, VERSION, Place, ask, recorded, size
from tests.chaos.zygote import Zygote

KILLED = -9
FINE = (0, 3)
"""Exit codes of a run: all done, or a person is asked."""
MOST_STEPS, MOST_FAULTS = 500, 3
"""Of one way: then it will not come to its end."""
LATER_SECONDS = 3 * 3_600.0
"""After which every notice that was claimed by a process that died is tried again."""
CLAIM_SECONDS = 61.0
PARKED = "parked"
RUN = ("run", "--all", "--json")


@dataclass
class Tally:
    """What happened on a way, as the outside saw it."""

    processes: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    """By where the work item stood."""
    executed: int = 0
    again: list[str] = field(default_factory=list)
    """Executions of delegations that were on record before they began, or that one process did twice."""
    faults: list[str] = field(default_factory=list)


class Way:
    """Goes the whole way at a place; each process is killed at the first of the points that it comes to."""

    def __init__(self, place: Place, zygote: Zygote, kill: tuple[str, ...] = ()) -> None:
        self.place, self.zygote, self.kill = place, zygote, kill
        self.tally = Tally()
        self.later = 0.0
        """Seconds that the processes' clocks are ahead of this one's."""
        self.after_kill: Callable[[], None] = lambda: None
        """Called after each kill, before the next process begins."""

    def go(self) -> Tally:
        """To the end of the way; then once more, later, as whoever runs it from a timer does."""
        words: tuple[str, ...] | None = next_step(self.place)
        while words is not None:
            if self.tally.processes > MOST_STEPS or len(self.tally.faults) > MOST_FAULTS:
                self.tally.faults.append("the way does not come to its end")
                return self.tally
            was_killed = self.step(words, self.kill) == KILLED
            # A run that was killed is begun again before its question is answered: others wait to be told of it.
            words = words if was_killed and words == RUN else next_step(self.place)
        self.later += LATER_SECONDS
        self.step(RUN)
        return self.tally

    def step(self, words: tuple[str, ...], kill: tuple[str, ...] = ()) -> int:
        """Run one process to its end; what it did twice, and how it ended badly, is counted."""
        before, start = recorded(self.place), size(self.place.ledger)
        code = self.zygote.wait(self.zygote.start(self.place.order(*words, later=self.later, kill=kill)))
        self.ended(words, code)
        self.count(before, start)
        return code

    def ended(self, words: Sequence[str], code: int) -> None:
        """Count how one process ended."""
        self.tally.processes += 1
        if code == KILLED:
            stands = where(self.place)
            self.tally.kills[stands] += 1
            # What was claimed by the one that died is free again after a minute: as long the person takes to look.
            self.later += CLAIM_SECONDS if stands == PARKED else 0.0
            self.after_kill()
        elif code not in FINE:
            told = self.place.out.read_text()[-1500:]
            self.tally.faults.append(f"apm {' '.join(words)} ended with {code}: {told}")

    def count(self, before: set[str], start: int) -> None:
        """Executions, since `start` of the ledger, of what was on record, or that came twice from one process."""
        known, seen = set(before), set()
        with self.place.ledger.open() as ledger:
            ledger.seek(start)
            for line in ledger:
                pid, what, key = line.rstrip("\n").split(" ", 2)
                if what == "recorded":
                    known.add(key)
                if what == "began" and key in known:
                    self.tally.again.append(key)
                if what == "ran":
                    self.tally.executed += 1
                    self.tally.again += [key] if (pid, key) in seen else []
                    seen.add((pid, key))


def where(place: Place) -> str:
    """The phase that the work item is in, or what it waits for."""
    if ask(place, OPEN):
        return PARKED
    found = ask(place, "SELECT phase FROM phase_runs ORDER BY id DESC LIMIT 1")
    return str(found[0][0]) if found else "begin"


def next_step(place: Place) -> tuple[str, ...] | None:
    """What a person would do next; None when nothing is left to do."""
    item = next(iter(ask(place, "SELECT id, closed_at FROM work_items WHERE origin = 'human'")), None)
    if item is None:
        return ("work-item", "create", TITLE, "--accept", "--body", str(place.folder / "request.md"))
    for number, recommended, question in ask(place, OPEN):
        return ("escalation", "resolve", str(number), *_answer(place, recommended, question))
    return None if item[1] is not None else RUN


OPEN = """
    SELECT id, recommended, question FROM escalations WHERE resolved_at IS NULL AND withdrawn_at IS NULL
    ORDER BY id LIMIT 1
"""


def _answer(place: Place, recommended: str, question: Any) -> tuple[str, ...]:
    """The recommended answer; about a deployment that may have happened, what the world outside says."""
    if "may have run before apm was killed" not in question:
        return ("--option", recommended, "--reason", "so it is")
    done = VERSION in place.deployments.read_text().split()
    attempt = question.rpartition("or 'again")[2].partition("'")[0]
    told = json.dumps({"deployment": "done" if done else f"again{attempt}"})
    return ("--option", "supply", "--answer", told, "--reason", "looked")
