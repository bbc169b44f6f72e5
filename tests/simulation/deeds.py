"""One run: deeds drawn from a seed, a check after each, calm weather at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.simulation.agents import KINDS
from tests.simulation.place import TEAMS
from tests.simulation.world import PHASES, World

HOUR = 3_600
Deed = Callable[[World, Random], None]

DEEDS: tuple[tuple[int, Deed], ...] = (
    (8, lambda w, r: w.add(r.choice((*PHASES, PHASES[-1])), r.choice(((), (), ("milestone",))))),
    (20, lambda w, r: w.run(r.choice((0.005, 0.02, 0.1, 0.5, 2.0, 8.0)))),
    (10, lambda w, r: w.kill(r.randint(1, 400))),
    (16, lambda w, r: w.answer(r.randrange(10), r.choice((0, 0, 0, 0, 1, 2)))),
    (3, lambda w, r: w.snooze(r.randrange(10), r.choice((5, HOUR)))),
    (2, lambda w, r: w.acknowledge(r.randrange(10), r.choice((1, 60)))),
    (3, lambda w, r: w.undo(r.randrange(10))),
    (5, lambda w, r: w.grant(*r.choice(KINDS), r.choice(("autonomous", "escalate")))),
    (3, lambda w, r: w.reverse(r.randrange(10))),
    (4, lambda w, r: w.edit_team(r.randrange(len(TEAMS)))),
    (3, lambda w, r: w.pause(r.randrange(10))),
    (3, lambda w, r: w.resume(r.randrange(10))),
    (1, lambda w, r: w.cancel(r.randrange(10))),
    (3, lambda w, r: w.put_clock(r.choice((-HOUR, HOUR, 30 * HOUR)))),
    (2, lambda w, r: w.fill_disk(r.randint(1, 3))),
    (5, lambda w, r: w.stall(r.randint(1, 400), r.choice((1, 10, 20, 300)), is_rival_killed=r.random() < 0.2)),
    (2, lambda w, r: w.compete(r.randint(1, 400))),
)
"""What happens, and how often in relation to the rest."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed came to. `head` covers every byte of the journal; `turns` are those of the event loops; `hands` is
    how often a process took the lease from one that lived."""

    seed: int
    deeds: int
    turns: int
    executions: int
    kills: int
    hands: int
    releases: int
    head: tuple[int, str]
    violations: tuple[str, ...]


def simulate(seed: int, deeds: int) -> Outcome:
    """The run that the seed stands for; the same wherever and however often it is made."""
    chance = Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="apm-simulation-"))
    world = World(folder, Random(chance.randrange(2**32)))
    try:
        found = _run(world, chance, deeds)
        return Outcome(
            seed,
            deeds,
            world.turns,
            world.executions,
            world.kills,
            world.hands,
            world.releases,
            world.head,
            tuple(found),
        )
    finally:
        world.close()
        shutil.rmtree(folder)


def _run(world: World, chance: Random, deeds: int) -> list[str]:
    weights = [weight for weight, _ in DEEDS]
    world.bring_to_release(chance.choice(((), ("E1",), ("E1", "O1"), ("E1", "E1", "E1"))))
    for _ in range(deeds):
        [(_, deed)] = chance.choices(DEEDS, weights)
        deed(world, chance)
        found = world.violations
        if found:
            return found
    return world.finish()
