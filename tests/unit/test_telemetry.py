"""Each signal says where its figure comes from; what was not measured is said as well."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.agents import telemetry
from core.contract import AgentRequest, AgentResponse, Json, failed, succeeded
from core.orchestration.position import journal_facts, read_position
from tests.unit.engine_run import Run
from tests.unit.git_project import git
from tests.unit.release_place import Place, commit_in, make_place
from tests.unit.scripted import OUTPUTS, Scripted

JOURNAL: Json = {
    "phases": [{"phase": "I1", "seconds": 12.5, "rounds": 2}, {"phase": "R1", "seconds": 30, "rounds": 1}],
    "delegations": {"count": 36, "failures": 1, "seconds": 40.25},
    "escalations": {"raised": 2, "answered": 2, "median_seconds": 90},
    "gates": [
        {
            "phase": "R1",
            "criteria": [
                {"name": "coverage", "actual": "92.4 %", "evidence": [{"command": ["pytest"], "seconds": 3.5}]},
                {"name": "tests_pass", "actual": "33 of 33 passed (100.0 %)"},
                {"name": "security", "actual": "0 findings by 2 tools"},
                {"name": "static_analysis", "actual": "not measured"},
            ],
        },
        {"phase": "O1", "criteria": [{"name": "version_bumped", "actual": "1.2.0 -> 1.3.0"}]},
    ],
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = make_place(tmp_path, {"VERSION": "1.2.0\n"})
    place.tech |= {"packaging": None, "version_file": {"path": "VERSION", "kind": "VERSION"}, "changelog": None}
    return place


def named(snapshot: Json) -> dict[str, Json]:
    return {signal["name"]: signal for signal in snapshot["signals"]}


async def collect(place: Place, journal: Json | None = None) -> Json:
    return await telemetry.collect({**place.request("x").context, "journal": journal}, place.bench)


async def test_the_journal_gives_phases_delegations_escalations_and_gate_figures(place: Place) -> None:
    signals = named(await collect(place, JOURNAL))

    assert signals["phase_seconds.I1"] == {
        "name": "phase_seconds.I1",
        "value": 12.5,
        "unit": "s",
        "source": "journal: phases",
        "subject": "I1",
    }
    assert signals["phase_rounds.I1"]["value"] == 2
    assert signals["delegations_failures"]["value"] == 1
    assert signals["escalations_median_seconds"]["value"] == 90
    assert (signals["gate.R1.coverage"]["value"], signals["gate.R1.coverage"]["unit"]) == (92.4, "%")
    assert signals["gate.R1.tests_pass"]["value"] == 100
    assert (signals["gate.R1.security"]["value"], signals["gate.R1.security"]["unit"]) == (0, "findings")
    assert signals["gate.R1.coverage.seconds"]["value"] == 3.5
    assert not {"gate.R1.static_analysis", "gate.O1.version_bumped"} & set(signals)


async def test_git_gives_what_the_release_brought(place: Place) -> None:
    commit_in(place.repo, {"other.txt": "somebody else's\n" * 50}, "Other work")
    git(place.tree, "merge", "-q", "--no-edit", "main")
    await place.prepare()
    assert (await place.ask("deploy-orchestrator")).output_artifact
    commit_in(place.repo, {"later.txt": "later\n" * 50}, "Later work")

    snapshot = await collect(place)

    signals = named(snapshot)
    assert signals["commits"]["value"] == 3
    assert signals["files_changed"]["value"] == 3
    assert signals["lines_removed"]["value"] == 1
    assert signals["authors"]["value"] == 1
    assert signals["largest_share_of_churn"]["subject"] == "src/rows/sorting.py"
    assert signals["commits"]["source"].startswith("git log ")
    begin, end = (dt.datetime.fromisoformat(snapshot["window"][key]) for key in ("from", "to"))
    assert begin <= end


async def test_before_a_release_git_gives_the_branch(place: Place) -> None:
    assert named(await collect(place))["files_changed"]["value"] == 1


async def test_the_monitor_is_asked_again(place: Place) -> None:
    await place.prepare()
    await place.ask("deploy-orchestrator")
    await place.ask("health-verifier")
    assert named(await collect(place))["health_ok"]["value"] == 1

    next((place.bench.releases / "1.3.0").glob("*.tar.gz")).unlink()

    signal = named(await collect(place))["health_ok"]
    assert signal["value"] == 0
    assert "monitor of 1.3.0" in signal["source"]


async def test_what_was_not_measured_is_listed_with_the_reason(place: Place) -> None:
    context = place.request("x").context
    del context["project"]

    snapshot = await telemetry.collect(context, place.bench)

    assert snapshot["signals"] == []
    reasons = {absent["name"]: absent["reason"] for absent in snapshot["not_measured"]}
    assert reasons["commits, files and lines"] == "the work item has no project"
    assert len(reasons) == 3


async def test_a_figure_that_the_journal_lacks_is_absent_and_not_zero(place: Place) -> None:
    journal = {**JOURNAL, "escalations": {"raised": 0, "answered": 0, "median_seconds": None}}

    snapshot = await collect(place, journal)

    assert "escalations_median_seconds" not in named(snapshot)
    assert "escalations_median_seconds" in [absent["name"] for absent in snapshot["not_measured"]]


async def test_a_repository_that_is_gone_is_a_reason_and_no_failure(place: Place) -> None:
    context = place.request("x").context
    context["project"]["target"] = "no-such-branch"

    snapshot = await telemetry.collect(context, place.bench)

    assert "no-such-branch" in snapshot["not_measured"][0]["reason"]


async def test_the_journal_counts_the_questions_of_a_work_item_and_how_long_they_waited(run: Run) -> None:
    left = ["no space"]

    def once(_: AgentRequest) -> AgentResponse:
        return failed("risk-notary", left.pop()) if left else succeeded("risk-notary", OUTPUTS["risk-notary"])

    number = await run.add()
    await run.start(Scripted(risk_notary=once))
    await run.settle()
    await run.answer("retry")
    await run.settle()

    told = await run.ws.store.read(lambda r: journal_facts(r, read_position(r, number)))

    assert (told["escalations"]["raised"], told["escalations"]["answered"]) == (1, 1)
    assert told["escalations"]["median_seconds"] is not None
