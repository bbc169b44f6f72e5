"""`python -m tests.simulation [SEEDS] [--from SEED] [--deeds N] [--turns N]`: many seeds, one line each, and what did
not hold. Then a process stands still at each of the first turns of its loop, while another one takes its work over.

Exit code 1 when something did not. A line's seed, with the same number of deeds, makes that very run again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.simulation.deeds import Outcome, simulate
from tests.simulation.standing import stand_still

ROW = "{:>8} {:>7} {:>9} {:>11} {:>7} {:>7} {:>9} {:>8}  {}"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    arguments.add_argument("seeds", nargs="?", type=int, default=200)
    arguments.add_argument("--from", dest="first", type=int, default=1)
    arguments.add_argument("--deeds", type=int, default=60)
    arguments.add_argument("--turns", type=int, default=240)
    given = arguments.parse_args()
    # What the engine says of a full disk belongs to the runs; here only what did not hold is of interest.
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    print(ROW.format("seed", "deeds", "turns", "executions", "kills", "hands", "releases", "events", "journal"))
    found = [_shown(simulate(seed, given.deeds)) for seed in range(given.first, given.first + given.seeds)]
    broken = [outcome for outcome in found if outcome.violations]
    print(
        f"{len(found)} seeds, {sum(o.deeds for o in found)} steps, {sum(o.executions for o in found)} executions, "
        f"{sum(o.kills for o in found)} kills, {sum(o.hands for o in found)} changes of hands, "
        f"{sum(o.releases for o in found)} releases, {sum(len(o.violations) for o in found)} violations "
        f"in {len(broken)} seeds, {time.monotonic() - began:.0f} s"
    )
    still = [_stood(turn) for turn in range(1, given.turns + 1)]
    if still:
        print(
            f"stood still at {len(still)} turns, {sum(map(len, still))} violations at {sum(map(bool, still))} of them"
        )
    return 1 if broken or any(still) else 0


def _stood(turn: int) -> list[str]:
    found = stand_still(turn)
    for violation in found:
        print(f"turn {turn}: {violation}", flush=True)
    return found


def _shown(outcome: Outcome) -> Outcome:
    events, link = outcome.head
    rest = (outcome.hands, outcome.releases, events, link[:16])
    row = (outcome.seed, outcome.deeds, outcome.turns, outcome.executions, outcome.kills, *rest)
    print(ROW.format(*row), flush=True)
    for violation in outcome.violations:
        print(f"         {violation}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
