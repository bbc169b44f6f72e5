"""The engine's benchmark: its workload is what it says, and its figures are judged as they were asked for."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from core.contract import Json, canonical_json
from core.orchestration.assembly import assemble
from core.orchestration.gates import check
from core.phases import PHASES
from tests.bench_engine import flames, standard, table
from tests.bench_engine.contestants import OURS, OWN, RAW_GROUP, NotMeasured, spoken
from tests.bench_engine.environments import complaint
from tests.bench_engine.goals import NOT_RUN, all_goals
from tests.bench_engine.rivals.table import RIVALS
from tests.bench_engine.standard import Outcome, Shape
from tests.bench_engine.state import WORK_ITEMS, Grown, Resumed
from tests.bench_engine.table import Goal, Line
from tests.bench_engine.team import padded, phase_table
from tests.unit.scripted import BUILD

ONE, MANY = Shape(10, 1, False, 10.0), Shape(50, 50, True, 10.0)
SHAPES = (ONE, MANY)


def outcome(rate: float, *, cut: bool = False, bytes_: int = 0) -> Outcome:
    return Outcome(int(rate), 1.0, "FULL", cut, bytes_)


def line(title: str, one: float, many: float, *, is_rival: bool = False) -> Line:
    return Line(title, {ONE: [outcome(one)], MANY: [outcome(many)]}, is_rival=is_rival)


@pytest.mark.parametrize("side_by_side", [False, True])
def test_every_phase_is_five_workers_and_its_own_gate(side_by_side: bool) -> None:
    found = phase_table(side_by_side)

    assert [len(phase.steps) for phase in found.values()] == [standard.WORKERS] * standard.PHASES
    assert [len(phase.groups) for phase in found.values()] == [1 if side_by_side else 5] * standard.PHASES
    assert {r for p in found.values() for r in p.roles} == {r for p in PHASES for r in p.roles}


def test_side_by_side_nobody_waits_for_a_neighbour() -> None:
    steps = [step for phase in phase_table(True).values() for step in phase.steps]

    assert not [step.agent for step in steps if step.reads or step.requires]


def test_a_worker_answers_with_five_hundred_bytes() -> None:
    workers = [step.agent for phase in phase_table(False).values() for step in phase.steps]

    assert {len(canonical_json(padded(role)).encode()) for role in workers} == {standard.RESULT_BYTES}
    assert len(json.dumps(standard.result(5, 4), separators=(",", ":"))) == standard.RESULT_BYTES


def test_what_the_workers_answer_passes_the_real_gates() -> None:
    request: Json = {"title": "measured", "type": "feature", "tags": [], "impact": None}
    results = {step.agent: padded(step.agent) for phase in phase_table(True).values() for step in phase.steps}
    defined = assemble("D1", request, results)
    against = {"acceptance_criteria": defined["acceptance_criteria"], "risks": defined["risks"]}

    payloads = {code: assemble(code, request, results) | against for code in ("D1", "P1", "R1", "O1", "E1")}
    missed = {code: check(code, payload).missing for code, payload in {**payloads, "I1": BUILD}.items()}

    assert not any(missed.values()), missed


def test_a_programs_words_say_the_shape() -> None:
    shape, given = standard.parse(argparse.ArgumentParser(), standard.words(MANY, Path("somewhere")))

    assert (shape, given.folder) == (MANY, Path("somewhere"))


def test_what_a_program_says_before_its_figures_is_passed_over() -> None:
    assert standard.told('a warning\n{"steps": 4, "seconds": 2.0, "synchronous": "FULL"}\n').rate == 2.0


@pytest.mark.parametrize("output", ["", "no figures", '{"steps": 4}', "[1]"])
def test_a_program_without_figures_is_no_measurement(output: str) -> None:
    with pytest.raises(ValueError, match="told no figures"):
        standard.told(output)


def test_every_rival_is_pinned_and_has_a_program() -> None:
    root = Path(__file__).parents[2]

    assert all("==" in package for rival in RIVALS for package in rival.packages)
    assert all("@" in package[1:] for rival in RIVALS for package in rival.npm)
    assert all((root / f"{c.module.replace('.', '/')}.py").is_file() for c in (*OWN, *RIVALS))


def test_a_figure_is_the_median_of_its_runs() -> None:
    measured = Line("x", {ONE: [outcome(100), outcome(900), outcome(200)]})

    assert (measured.rate(ONE), measured.rate(MANY)) == (200, None)


def test_a_run_that_was_cut_shows_it() -> None:
    shown = table.lines_text([Line("x", {ONE: [outcome(100), outcome(100, cut=True)]})], SHAPES)

    assert "100*" in shown


def test_who_did_no_step_before_the_run_was_cut_has_no_rate_to_be_beaten_by() -> None:
    idle = Line("x", {ONE: [outcome(0, cut=True)]}, is_rival=True)

    assert "none*" in table.lines_text([idle], SHAPES)
    assert table.fastest_rival([idle], ONE) is None


def test_what_was_not_measured_says_why_and_has_no_figure() -> None:
    shown = table.lines_text([Line("x", {}, "it could not be installed")], SHAPES).splitlines()[1]

    assert "not measured: it could not be installed" in shown
    assert not any(character.isdigit() for character in shown)


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Goal("", 2, "s", 1.9, most=True, strict=True), "met"),
        (Goal("", 2, "s", 2.0, most=True, strict=True), "NOT MET"),
        (Goal("", 20, "%", 20.0, most=True), "met"),
        (Goal("", 20, "%", 20.1, most=True), "NOT MET"),
        (Goal("", 20, "%", -3.0, most=True), "met"),
        (Goal("", 33, "%", 33.0), "met"),
        (Goal("", 33, "%", 32.9), "NOT MET"),
        (Goal("", 1, "times", 1.0, strict=True), "NOT MET"),
        (Goal("", 1, "times", None), "not measured"),
    ],
)
def test_a_goal_is_judged_at_its_edge(goal: Goal, verdict: str) -> None:
    assert goal.verdict == verdict


def test_the_worst_figure_comes_first_and_the_missing_last() -> None:
    goals = [
        Goal("near", 100, "", 90),
        Goal("unknown", 100, "", None),
        Goal("met", 100, "", 200),
        Goal("far", 100, "", 400, most=True),
        Goal("faster than before", 20, "", -1, most=True),
    ]

    assert [goal.what for goal in table.worst_first(goals)] == ["far", "near", "met", "faster than before", "unknown"]


def test_the_goals_are_those_of_one_at_a_time_and_of_fifty() -> None:
    lines = {OURS: line("apm", 2_000, 12_000), RAW_GROUP: line("raw", 3_000, 30_000)}
    lines |= {RIVALS[0]: line("slow", 500, 900, is_rival=True), RIVALS[1]: line("fast", 4_000, 800, is_rival=True)}
    growth = Grown(1_000_000, empty=(1_000.0,), long=(900.0,))

    found = {g.what: g for g in all_goals(SHAPES, lines, Resumed((1.5,), (0.5,)), growth)}

    assert found["50 at once, side by side"].measured == 12_000
    assert found["1 at once, in sequence"].measured == 2_000
    assert found[f"share of {RAW_GROUP.title}, 50 at once, side by side"].measured == 40
    assert found["slower on 1,000,000 recorded steps"].measured == pytest.approx(10)
    assert found[f"{WORK_ITEMS:,} unfinished work items: the first delegation"].measured == 1.5
    assert found["against fast, 1 at once, in sequence"].measured == 0.5
    assert found["against slow, 50 at once, side by side"].measured == pytest.approx(12_000 / 900)


STACKS = [
    "thread (1): MainThread;main (tests/x.py:1);BaseEventLoop._run_once (asyncio/base_events.py:1);a (core/a.py:1) 6",
    "thread (1): MainThread;main (tests/x.py:1);BaseEventLoop._run_once (asyncio/base_events.py:1);"
    "a (core/a.py:1);dumps (json/encoder.py:1) 3",
    "thread (2): apm-reader_0;Thread.run (threading.py:1);_WorkItem.run (x.py:1);b (core/b.py:1) 2",
    "thread (3): apm-reader_1;Thread.run (threading.py:1);_WorkItem.run (x.py:1);b (core/b.py:1) 1",
    "thread (1): MainThread;main (tests/x.py:1);import (importlib.py:1) 50",
    "thread (3): apm-reader_1;Thread.run (threading.py:1);_worker (thread.py:1) 70",
]


def test_a_profile_is_of_what_the_event_loop_and_the_threads_are_at() -> None:
    found = flames.tree(flames.parsed(STACKS))

    assert found.count == 12
    assert {name: (node.count, list(node.below)) for name, node in found.below.items()} == {
        "MainThread": (9, ["a (core/a.py:1)"]),
        "apm-reader": (3, ["b (core/b.py:1)"]),
    }


def test_a_function_has_its_share_of_the_samples() -> None:
    shares = flames.shares(list(flames.parsed(STACKS)), "core/")

    assert shares == [("a (core/a.py:1)", 0.75, 0.75), ("b (core/b.py:1)", 0.25, 0.25)]


def test_a_box_is_as_wide_as_its_share_and_stands_on_its_caller() -> None:
    boxes = {box.node.name: box for box in flames.boxes(flames.tree(flames.parsed(STACKS)), width=120)}

    assert boxes["MainThread"].width == 90
    assert boxes["dumps (json/encoder.py:1)"].width == 30
    assert boxes["dumps (json/encoder.py:1)"].row == boxes["a (core/a.py:1)"].row + 1
    assert boxes["apm-reader"].left == boxes["MainThread"].left + 90


def test_the_picture_escapes_what_functions_are_called() -> None:
    shown = flames.picture(flames.tree([(["<lambda> (core/a.py:1)"], 1)]), "a & b")

    assert "a &amp; b" in shown
    assert "&lt;lambda&gt;" in shown
    assert "<lambda>" not in shown


def test_a_program_that_fails_is_not_measured_and_its_last_words_say_why() -> None:
    with pytest.raises(NotMeasured, match="no server here"):
        spoken([sys.executable, "-c", "raise SystemExit('a first line\\nno server here')"], 60)


def test_a_program_that_does_not_end_is_not_measured() -> None:
    with pytest.raises(NotMeasured, match="had not ended after 0 s"):
        spoken([sys.executable, "-c", "import signal; signal.pause()"], 0.01)


def test_what_cannot_be_installed_says_why_in_one_line() -> None:
    told_by_pip = "WARNING: x\nERROR: Could not find huey==99 (from versions: 1.0, 2.0)\nERROR: No matching"

    assert complaint(told_by_pip) == "ERROR: Could not find huey==99"
    assert complaint("a network fault\n\n") == "a network fault"


def test_a_part_that_was_not_run_is_said_to_be_so() -> None:
    goals = all_goals(SHAPES, {OURS: Line("apm", {}, "it broke")}, Resumed(reason="x"), Grown(reason="y"))

    assert {goal.reason for goal in goals} == {"it broke", NOT_RUN, "x", "y"}
    assert {goal.verdict for goal in goals} == {"not measured"}
