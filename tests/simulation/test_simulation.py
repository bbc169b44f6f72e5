"""The engine under any order of deeds: nothing lost, nothing done twice, nothing done without authority."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.governance.authority import Mode
from tests.simulation.agents import KINDS
from tests.simulation.deeds import HOUR
from tests.simulation.place import TEAMS
from tests.simulation.standing import stand_still
from tests.simulation.world import PHASES, World

ROOT = Path(__file__).parents[2]
picks = st.integers(0, 9)


def test_a_seed_is_one_run_to_the_last_byte_of_its_journal() -> None:
    """Also in another process, whose sets have another order."""
    words = (sys.executable, "-m", "tests.simulation", "2", "--from", "3", "--deeds", "12", "--turns", "0")
    environments = ({**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed} for seed in ("1", "2"))
    runs = [subprocess.Popen(words, cwd=ROOT, env=e, stdout=subprocess.PIPE, text=True) for e in environments]

    (_, one, other, _), (_, one_again, other_again, _) = ([*run.communicate()[0].splitlines()] for run in runs)

    assert (one, other) == (one_again, other_again)
    assert one.split()[-1] != other.split()[-1]
    assert int(one.split()[4]) > 0, "somebody was killed"
    assert int(one.split()[6]) > 0, "something was released"


@pytest.mark.parametrize("turn", [27, 38])
def test_a_process_that_stood_still_does_nothing_again_that_is_on_record(turn: int) -> None:
    """At these turns it has been told that it may begin, and has not; `make simulate` stands still at each."""
    assert stand_still(turn) == []


class EngineLife(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="apm-simulation-"))
        self.world = World(self.folder, Random(seed))
        for phase in ("I1", "R1", "E1"):
            self.world.add(phase)

    def teardown(self) -> None:
        try:
            assert self.world.finish() == []
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    @rule(until=st.sampled_from(PHASES), tags=st.sampled_from([(), (), ("milestone",)]))
    def add(self, until: str, tags: tuple[str, ...]) -> None:
        self.world.add(until, tags)

    @rule(seconds=st.sampled_from([0.01, 0.3, 2.0, 8.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(turns=st.integers(1, 400))
    def kill(self, turns: int) -> None:
        self.world.kill(turns)

    @rule(pick=picks, option=st.integers(0, 3))
    def answer(self, pick: int, option: int) -> None:
        self.world.answer(pick, option)

    @rule(pick=picks, seconds=st.sampled_from([5, HOUR]))
    def snooze(self, pick: int, seconds: int) -> None:
        self.world.snooze(pick, seconds)

    @rule(pick=picks, minutes=st.sampled_from([1, 60]))
    def acknowledge(self, pick: int, minutes: int) -> None:
        self.world.acknowledge(pick, minutes)

    @rule(pick=picks)
    def take_an_answer_back(self, pick: int) -> None:
        self.world.undo(pick)

    @rule(what=st.sampled_from(KINDS), mode=st.sampled_from(["autonomous", "escalate"]))
    def grant(self, what: tuple[str, str], mode: Mode) -> None:
        self.world.grant(*what, mode)

    @rule(pick=picks)
    def reverse_a_decision(self, pick: int) -> None:
        self.world.reverse(pick)

    @rule(which=st.integers(0, len(TEAMS) - 1))
    def edit_the_team(self, which: int) -> None:
        self.world.edit_team(which)

    @rule(pick=picks)
    def pause(self, pick: int) -> None:
        self.world.pause(pick)

    @rule(pick=picks)
    def resume(self, pick: int) -> None:
        self.world.resume(pick)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        self.world.cancel(pick)

    @rule(seconds=st.sampled_from([-HOUR, HOUR, 30 * HOUR]))
    def put_the_clock(self, seconds: int) -> None:
        self.world.put_clock(seconds)

    @rule(writes=st.integers(1, 3))
    def fill_the_disk(self, writes: int) -> None:
        self.world.fill_disk(writes)

    @rule(turns=st.integers(1, 400), seconds=st.sampled_from([1, 20, 300]), is_rival_killed=st.booleans())
    def stand_still(self, turns: int, seconds: int, is_rival_killed: bool) -> None:
        self.world.stall(turns, seconds, is_rival_killed=is_rival_killed)

    @rule(turns=st.integers(1, 400))
    def begin_two_at_once(self, turns: int) -> None:
        self.world.compete(turns)

    @invariant()
    def holds(self) -> None:
        assert self.world.violations == []


TestEngineLife = EngineLife.TestCase
TestEngineLife.settings = settings(
    max_examples=int(os.environ.get("APM_SIMULATIONS", "2")),
    stateful_step_count=25,
    # What fails here is told as it was drawn: to make it smaller takes hundreds of runs.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
