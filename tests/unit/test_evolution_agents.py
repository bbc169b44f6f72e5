"""From signals to requests: nothing is claimed without figures, and finding nothing says what was looked at."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.agents import evolution
from core.agents.bench import Bench
from core.agents.insights import RULES, analyse
from core.agents.sunset import find_deprecations
from core.contract import AgentRequest, AgentResponse, Json, Status
from tests.unit.git_project import commit, git, project, write

AGENTS = {
    "signal-harvester": evolution.signal_harvester,
    "insight-synthesizer": evolution.insight_synthesizer,
    "debt-registrar": evolution.debt_registrar,
    "refactor-proposer": evolution.refactor_proposer,
    "sunset-planner": evolution.sunset_planner,
}
TANGLED = "def tangled(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12)) + "    return x\n"


@dataclasses.dataclass
class Circle:
    """E1's agents over one repository, each reading what the ones before it found."""

    repo: Path
    bench: Bench
    context: Json
    snapshot: Json = dataclasses.field(default_factory=dict)

    async def ask(self, role: str) -> AgentResponse:
        request = AgentRequest("evolution-orch", self.snapshot, self.context, "evolution.backlog_delta")
        response = await AGENTS[role](request, self.bench)
        self.context["results"][role] = response.output_artifact
        return response

    async def around(self) -> dict[str, Json]:
        return {role: (await self.ask(role)).output_artifact for role in AGENTS}


@pytest.fixture
def circle(tmp_path: Path) -> Circle:
    repo = tmp_path / "rows"
    commit(repo, {"rows.py": "def sort(rows):\n    return sorted(rows)\n"})
    for name in ("releases", "scratch"):
        (tmp_path / name).mkdir()
    context: Json = {"project": project(repo), "results": {}, "answers": {}, "journal": {}}
    return Circle(
        repo, Bench(None, tmp_path / "releases", tmp_path / "scratch"), context, {"signals": [signal("commits", 3)]}
    )


def signal(name: str, value: float, subject: str = "") -> Json:
    return {"name": name, "value": value, "unit": "", "source": "test", "subject": subject}


class TestSignalHarvester:
    async def test_compares_with_the_release_before(self, circle: Circle) -> None:
        circle.snapshot = {"signals": [signal("gate.R1.coverage", 91), signal("commits", 4), signal("files", 2)]}
        newest = {"at": 2, "signals": [signal("gate.R1.coverage", 95.5), signal("commits", 4)]}
        circle.context["journal"]["previous"] = [newest, {"at": 1, "signals": [signal("commits", 9)]}]

        output = (await circle.ask("signal-harvester")).output_artifact

        assert output["changes"] == [
            {"name": "gate.R1.coverage", "before": 95.5, "now": 91, "change": -4.5, "share": -0.0471}
        ]

    async def test_keeps_figures_only(self, circle: Circle) -> None:
        circle.snapshot["signals"] += [signal("broken", float("nan")), {"name": "words", "value": "many"}, {"value": 1}]

        assert [found["name"] for found in (await circle.ask("signal-harvester")).output_artifact["signals"]] == [
            "commits"
        ]

    async def test_without_signals_it_says_what_is_missing(self, circle: Circle) -> None:
        circle.snapshot = {"signals": [], "not_measured": [{"name": "health_ok", "reason": "no monitor"}]}

        response = await circle.ask("signal-harvester")

        assert response.status is Status.BLOCKED
        assert response.missing == ["health_ok: no monitor"]


QUIET = [signal("phase_rounds.R1", 1, "R1"), signal("health_ok", 1), signal("lines_added", 10)]


class TestInsights:
    @pytest.mark.parametrize(
        ("rule", "signals", "words"),
        [
            ("rework", [signal("phase_rounds.I1", 1, "I1"), signal("phase_rounds.R1", 3, "R1")], "R1 needed 3 rounds"),
            (
                "longest phase",
                [signal("phase_seconds.I1", 80, "I1"), signal("phase_seconds.R1", 20, "R1")],
                "I1 took 80%",
            ),
            (
                "waiting for a human",
                [
                    signal("phase_seconds.I1", 30, "I1"),
                    signal("escalations_median_seconds", 60),
                    signal("escalations_answered", 3),
                ],
                "86% of the time",
            ),
            (
                "failing delegations",
                [signal("delegations_count", 10), signal("delegations_failures", 2)],
                "2 of 10 delegations failed (20%)",
            ),
            ("slow checks", [signal("gate.R1.tests_pass.seconds", 301, "R1")], "ran for 301 s"),
            (
                "concentrated churn",
                [signal("largest_share_of_churn", 0.9, "a.py"), signal("files_changed", 5)],
                "90% of the changed lines are in a.py",
            ),
            ("size", [signal("lines_added", 900), signal("lines_removed", 200)], "changed 1100 lines"),
            ("unwell", [signal("health_ok", 0, "connection refused")], "connection refused"),
        ],
    )
    def test_each_rule_speaks_beyond_its_limit(self, rule: str, signals: list[Json], words: str) -> None:
        (insight,) = analyse(signals, [])

        assert insight["rule"] == rule
        assert words in insight["text"]
        assert insight["aim"]
        assert set(insight["signals"]) <= {found["name"] for found in signals}

    @pytest.mark.parametrize(
        ("rule", "change"),
        [
            ("coverage lost", {"name": "gate.R1.coverage", "before": 95.5, "now": 91.0, "change": -4.5}),
            ("slower answers", {"name": "health_response_ms", "before": 300.0, "now": 900.0, "change": 600.0}),
        ],
    )
    def test_rules_over_changes(self, rule: str, change: Json) -> None:
        assert [insight["rule"] for insight in analyse([signal(change["name"], change["now"])], [change])] == [rule]

    @pytest.mark.parametrize(
        "signals",
        [
            [signal("phase_seconds.I1", 3, "I1")],
            [signal("phase_rounds.D1", 4, "D1"), signal("phase_rounds.R1", 1, "R1")],
            [signal("largest_share_of_churn", 1.0, "a.py"), signal("files_changed", 1)],
            [signal("escalations_median_seconds", 0), signal("escalations_answered", 2)],
            [signal("delegations_count", 0), signal("delegations_failures", 0)],
        ],
    )
    def test_small_figures_prove_nothing(self, signals: list[Json]) -> None:
        assert [insight["rule"] for insight in analyse(signals, [])] == ["none"]

    def test_when_no_rule_speaks_it_is_told_with_the_figures(self) -> None:
        (insight,) = analyse(QUIET, [])

        assert insight["rule"] == "none"
        assert "rework 1 (limit 1)" in insight["text"]
        assert f"3 of {len(RULES)} rules had a figure" in insight["text"]
        assert insight["signals"] == ["health_ok", "lines_added", "lines_removed", "phase_rounds.R1"]

    async def test_without_telemetry_nothing_is_analysed(self, circle: Circle) -> None:
        circle.snapshot = {"signals": []}

        response = await circle.ask("insight-synthesizer")

        assert response.status is Status.BLOCKED
        assert response.output_artifact["telemetry"]["analyzed"] is False


class TestDebtRegistrar:
    async def test_reads_the_released_code_and_not_what_lies_about(self, circle: Circle) -> None:
        commit(circle.repo, {"rows.py": "# TODO: sort by two columns\n"})
        write(circle.repo, {"scratch.py": "# FIXME: not committed\n"})

        output = (await circle.ask("debt-registrar")).output_artifact

        assert [(debt["text"], debt["location"]) for debt in output["debt"]] == [
            ("TODO: sort by two columns", "rows.py:1")
        ]
        assert output["commit"] == git(circle.repo, "rev-parse", "main")
        assert list(circle.bench.scratch.rglob("*.py")) == []

    async def test_none_found_is_an_entry(self, circle: Circle) -> None:
        (entry,) = (await circle.ask("debt-registrar")).output_artifact["debt"]

        assert entry["id"] == "none"
        assert "in 1 file." in entry["text"]

    async def test_without_a_project_it_says_so(self, circle: Circle) -> None:
        del circle.context["project"]

        assert "no project" in (await circle.ask("debt-registrar")).output_artifact["debt"][0]["text"]


class TestRefactorProposer:
    async def test_proposes_a_request_for_the_file_that_owes_most(self, circle: Circle) -> None:
        commit(circle.repo, {"small.py": "# TODO: x\n", "tangled.py": TANGLED + "# HACK: for now\n"})

        output = (await circle.around())["refactor-proposer"]

        assert [item["title"] for item in output["backlog"]["added"]] == [
            "Pay the technical debt in tangled.py",
            "Pay the technical debt in small.py",
        ]
        assert output["improvements"][0]["cost"] == 6
        assert len(output["improvements"][0]["evidence"]) == 2

    async def test_the_request_carries_its_facts_and_at_least_three_criteria(self, circle: Circle) -> None:
        commit(circle.repo, {"tangled.py": TANGLED})

        (item,) = (await circle.around())["refactor-proposer"]["backlog"]["added"]

        body = item["body"]
        criteria = body.partition("## Acceptance criteria\n")[2].partition("\n\n")[0].splitlines()
        assert item["type"] == "chore"
        assert "tangled has a cyclomatic complexity of 13 (tangled.py:1)" in body
        assert "- tangled in tangled.py has a cyclomatic complexity of at most 10." in criteria
        assert len(criteria) >= 3
        assert "## Risks\n- " in body

    @pytest.mark.parametrize(
        ("code", "owed"),
        [("# TODO: x\n", "1 entry%s, about 1 hour"), ("# TODO: x\n# FIXME: y\n", "2 entries%s, about 3 hours")],
    )
    async def test_what_a_file_owes_is_counted_as_people_count(self, circle: Circle, code: str, owed: str) -> None:
        commit(circle.repo, {"small.py": code})

        output = (await circle.around())["refactor-proposer"]

        assert f"Pay the debt in small.py: {owed % ''}. First:" in output["improvements"][0]["text"]
        fact = f"small.py has {owed % ' in the debt register'} of work."
        assert fact in output["backlog"]["added"][0]["body"]

    async def test_an_insight_becomes_a_request_before_the_debt(self, circle: Circle) -> None:
        circle.snapshot = {"signals": [signal("phase_rounds.R1", 3, "R1")]}
        commit(circle.repo, {"small.py": "# TODO: x\n"})

        output = (await circle.around())["refactor-proposer"]

        assert output["backlog"]["added"][0]["title"].startswith("Find what sent R1 back")
        assert output["improvements"][0]["evidence"] == ["phase_rounds.R1"]

    async def test_proposes_five_at_most(self, circle: Circle) -> None:
        commit(circle.repo, {f"file{number}.py": "# TODO: x\n" for number in range(9)})

        output = (await circle.around())["refactor-proposer"]

        assert len(output["improvements"]) == len(output["backlog"]["added"]) == 5

    async def test_what_a_human_wants_comes_first(self, circle: Circle) -> None:
        circle.context["answers"]["improvements"] = ["Read files faster"]

        output = (await circle.around())["refactor-proposer"]

        assert output["improvements"][0]["text"] == "Read files faster"

    async def test_what_waits_already_is_updated_and_not_added(self, circle: Circle) -> None:
        churn = [signal("largest_share_of_churn", 0.9, "rows.py"), signal("files_changed", 5)]
        circle.snapshot = {"signals": churn}
        commit(circle.repo, {"small.py": "# TODO: x\n"})
        split, pay = (await circle.around())["refactor-proposer"]["backlog"]["added"]
        circle.context["journal"]["proposed"] = [{"work_item": 2, "title": split["title"], "about": split["about"]}]
        circle.snapshot = {"signals": [{**churn[0], "value": 0.75}, churn[1]]}

        output = (await circle.around())["refactor-proposer"]

        assert output["backlog"]["added"] == [pay]
        (updated,) = output["backlog"]["updated"]
        assert updated == {**output["improvements"][0], "work_item": 2}
        assert "75% of the changed lines" in updated["text"]

    async def test_another_file_is_another_proposal_even_where_its_title_is_cut_alike(self, circle: Circle) -> None:
        folder = "a/" * 40
        commit(circle.repo, {f"{folder}{name}.py": "# TODO: x\n" for name in ("one", "two")})
        one, two = (await circle.around())["refactor-proposer"]["backlog"]["added"]
        circle.context["journal"]["proposed"] = [{"work_item": 2, "title": one["title"], "about": one["about"]}]

        output = (await circle.around())["refactor-proposer"]

        assert one["title"] == two["title"]
        assert output["backlog"]["added"] == [two]

    async def test_none_found_is_an_entry_with_its_evidence_and_adds_no_work(self, circle: Circle) -> None:
        output = (await circle.around())["refactor-proposer"]

        assert output["improvements"][0]["id"] == "none"
        assert "1 file:" in output["improvements"][0]["text"]
        assert output["backlog"]["added"] == []


DEPRECATED = '''
    import warnings
    from typing_extensions import deprecated


    def old():
        """Deprecated since version 1.1; use `new`."""
        warnings.warn("old() goes away", DeprecationWarning, stacklevel=2)


    @deprecated("use Table")
    class Grid:
        pass


    def careful(text):
        """Finds deprecated names in a text."""
        warnings.warn("other", UserWarning)


    def partly(flag=None):
        if flag:
            warnings.warn("flag is deprecated since 1.4", category=DeprecationWarning)
'''


class TestSunsetPlanner:
    async def test_lists_what_is_announced_to_go_with_the_version_it_goes_back_to(self, circle: Circle) -> None:
        commit(circle.repo, {"rows.py": "x = 1\n"})
        git(circle.repo, "tag", "v1.4.0")
        commit(circle.repo, {"old.py": DEPRECATED})
        git(circle.repo, "tag", "v1.5.0")

        output = (await circle.ask("sunset-planner")).output_artifact

        assert [(found["text"].split(" is ")[0], found["since"], found["location"]) for found in output["sunset"]] == [
            ("old", "1.1", "old.py:5"),
            ("Grid", "1.5.0", "old.py:11"),
            ("partly", "1.4", "old.py:22"),
        ]

    async def test_flags_that_outlived_three_releases_are_due(self, circle: Circle) -> None:
        commit(circle.repo, {"flags.py": "FEATURE_SORTING = True\n"})
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            git(circle.repo, "tag", f"v{version}")
        commit(circle.repo, {"young.py": "FEATURE_PRINTING = True\n"})

        (found,) = (await circle.ask("sunset-planner")).output_artifact["sunset"]

        assert found["text"] == "the flag FEATURE_SORTING has been in the code for 3 releases, since 1.0.0"
        assert (found["since"], found["location"]) == ("1.0.0", "flags.py:1")

    async def test_none_found_is_an_entry(self, circle: Circle) -> None:
        (entry,) = (await circle.ask("sunset-planner")).output_artifact["sunset"]

        assert entry["id"] == "none"
        assert "in 1 file." in entry["text"]

    async def test_a_human_may_add_to_the_plan(self, circle: Circle) -> None:
        circle.context["answers"]["sunset"] = "The CSV reader of 0.x"

        (entry,) = (await circle.ask("sunset-planner")).output_artifact["sunset"]

        assert entry["text"] == "The CSV reader of 0.x"

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("a.ts", "/** @deprecated since 2.0 use b */"),
            ("A.java", "@Deprecated"),
            ("a.rs", '#[deprecated(since = "1.0")]'),
            ("a.go", "// Deprecated: use B"),
        ],
    )
    def test_markers_of_other_languages(self, tmp_path: Path, path: str, line: str) -> None:
        write(tmp_path, {path: f"\n{line}\n"})

        (found,), files = find_deprecations(tmp_path, [path])

        assert found.location.startswith(f"{path}:")
        assert files == 1
