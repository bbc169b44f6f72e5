"""Profiles: a new workspace begins with what its profile says, and with every remark of the team's file."""

from __future__ import annotations

import json
import zipfile
from importlib import resources
from pathlib import Path

import pytest

from core.contract import ApmError, Json, UsageError
from core.governance.conflicts import ConflictRules
from core.governance.decisions import DOMAIN_AGENTS, DecisionRules
from core.governance.shared_context import export, parse
from core.profiles.reading import Profile, names, read
from core.registry.catalog import default_path, load
from core.workspace import Workspace, create
from tests.unit.command_line import CommandLine

TEAM = b"""# The team.
defaults:
  milestone:
    tag: milestone      # what carries it comes to a person
    title: "Milestone"
    other: {tag: x}
"""


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    found = CommandLine(tmp_path, capsys, monkeypatch)
    ended = found("init", "--profile", "pm33")
    assert ended.code == 0, ended.err
    return found


def context_of(folder: Path) -> Json:
    with Workspace.open(folder) as workspace:
        return workspace.store.read_now(lambda r: export(r, milestone=workspace.milestone))


# Profiles as such


def test_the_usual_profile_comes_first() -> None:
    assert names() == ("default", "pm33")


def test_an_unknown_profile_is_one_sentence_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"^There is no profile 'acme'; known are 'default', 'pm33'\.$"):
        read("acme")


def test_a_profile_is_no_path() -> None:
    with pytest.raises(UsageError, match="no profile"):
        read("../profiles/pm33")


def test_its_values_are_put_in_and_remarks_stay() -> None:
    profile = Profile(
        "x", "X", {("defaults", "milestone", "tag"): "day_3", ("defaults", "milestone", "title"): "Day 3"}
    )
    assert profile.team(TEAM) == TEAM.replace(b"tag: milestone ", b'tag: "day_3" ').replace(b'"Milestone"', b'"Day 3"')


@pytest.mark.parametrize("place", ["defaults.milestone.other.tag", "defaults.milestone.nothing", "nowhere"])
def test_a_value_without_a_place_of_its_own_is_an_error(place: str) -> None:
    with pytest.raises(ApmError, match=f"The profile x does not fit agents.yaml: it has no {place} "):
        Profile("x", "X", {tuple(place.split(".")): "y"}).team(TEAM)


@pytest.mark.parametrize("name", names())
def test_every_profile_makes_a_workspace_that_opens(name: str, tmp_path: Path) -> None:
    with Workspace.open(create(tmp_path, name)) as workspace:
        assert workspace.fault is None
        assert workspace.profile == name


@pytest.mark.parametrize("name", names())
def test_every_profile_s_facts_are_a_shared_context(name: str) -> None:
    facts = read(name).facts
    assert parse(json.dumps(facts)) == facts


@pytest.mark.parametrize("name", names())
def test_a_profile_is_found_where_packages_keep_their_data(name: str) -> None:
    assert resources.files("core.profiles").joinpath(name, "profile.yaml").is_file()


def test_the_wheel_carries_the_profiles(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    root = Path(__file__).resolve().parents[2]
    [wheel] = list(WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"]))
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("core/profiles/")}
    files = (root / "core" / "profiles").rglob("*.*")
    assert packed >= {str(f.relative_to(root)) for f in files if f.suffix in (".yaml", ".json")}


def test_the_default_profile_s_team_is_the_shipped_file_to_the_letter(tmp_path: Path) -> None:
    assert (create(tmp_path) / "agents.yaml").read_bytes() == default_path().read_bytes()
    assert not (tmp_path / "agents.d").exists()
    assert not any(context_of(tmp_path)[key] for key in ("strategic_state", "technical_progress", "agentic_ai_teams"))


# PM33


def test_pm33_s_team_differs_from_the_shipped_file_in_two_lines(line: CommandLine) -> None:
    made, shipped = (p.read_text().splitlines() for p in (line.folder / "agents.yaml", default_path()))
    assert len(made) == len(shipped)
    changed = [new.strip() for new, old in zip(made, shipped, strict=True) if new != old]
    assert changed == ['tag: "day_3"', 'title: "Day 3"']


def test_pm33_escalates_first_what_is_day_3_s_or_weighs_more_than_8(line: CommandLine) -> None:
    rules = DecisionRules.of(load(line.folder / "agents.yaml"))
    assert rules.milestone_tag == "day_3"
    assert [(rule.urgency, rule.above) for rule in rules.first] == [("IMMEDIATE", None), ("IMMEDIATE", 8)]


def test_pm33_settles_conflicts_by_four_rules(line: CommandLine) -> None:
    rules = ConflictRules.of(load(line.folder / "agents.yaml"))
    found = {(*sorted(rule.between), *rule.words, rule.winner) for rule in rules.pairs}
    assert found == {
        ("technical", "ux", "user experience", "ux"),
        ("technical", "ux", "performance", "technical"),
        ("gtm", "strategy", "positioning", "strategy"),
        ("gtm", "strategy", "execution", "gtm"),
    }
    assert rules.urgency == "DAILY"


def test_pm33_knows_the_company_s_facts(line: CommandLine) -> None:
    found = context_of(line.folder)
    assert set(found["strategic_state"]) >= {"mission", "value_proposition", "current_phase", "revenue_target"}
    assert "$100K MRR" in found["strategic_state"]["revenue_target"]
    assert "$49 to $149" in found["strategic_state"]["pricing"]
    assert set(found["technical_progress"]) == {"backend_status", "frontend_status", "integrations"}
    assert found["day_3_requirements"]["beta_signups_target"] == 15
    assert found["day_3_requirements"]["demo_components"] == ["strategic_chat", "command_center", "ai_teams_demo"]
    assert set(found["agentic_ai_teams"]) == {"strategic_ai", "workflow_ai", "data_ai", "comms_ai"}


def test_pm33_s_facts_are_on_record_as_the_profile_s(line: CommandLine) -> None:
    events = line("audit", "tail", "-n", "100", "--json").json
    [event] = [e for e in events if e["kind"] == "context.imported"]
    assert event["payload"]["by"] == "profile pm33"


def test_pm33_s_briefing_is_about_day_3(line: CommandLine) -> None:
    assert "Day 3 progress" in line("briefing").out


def test_a_decision_of_day_3_comes_to_a_person_at_once(line: CommandLine) -> None:
    ended = line("decide", "--agent", "ux", "--kind", "layout", "--tag", "day_3", "--json")
    assert ended.code == 3
    assert line("escalation", "show", str(ended.json["escalation"]), "--json").json["urgency"] == "IMMEDIATE"


def test_a_word_of_the_default_milestone_means_nothing_there(line: CommandLine) -> None:
    assert line("decide", "--agent", "ux", "--kind", "layout", "--tag", "milestone").code == 0


def test_pm33_s_gtm_agent_is_given_its_documents_and_the_missing_ones_are_listed(line: CommandLine) -> None:
    for name in ("pm33_100k_mrr_plan.md", "final drafts/post one.md", "Templates/mail/welcome.md", "design/notes.md"):
        path = line.folder / "PM33" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("words\n")
    found = line("agents", "show", "gtm", "--json").json["context"]
    assert found["given"] == [
        "PM33/pm33_100k_mrr_plan.md",
        "PM33/final drafts/post one.md",
        "PM33/Templates/mail/welcome.md",
    ]
    assert "PM33/marketing/**" in found["missing"]


@pytest.mark.parametrize("agent", DOMAIN_AGENTS)
def test_pm33_s_domain_agents_have_documents_of_pm33_each_its_own(line: CommandLine, agent: str) -> None:
    agents = load(line.folder / "agents.yaml").agents
    own = set(agents[agent].context)
    assert any(glob.startswith("PM33/") for glob in own)
    assert all(own != set(agents[other].context) for other in DOMAIN_AGENTS if other != agent)


def test_the_revenue_plan_is_for_strategy_and_gtm_alone(line: CommandLine) -> None:
    agents = load(line.folder / "agents.yaml").agents
    plan = "PM33/pm33_100k_mrr_plan.md"
    assert [agent for agent in DOMAIN_AGENTS if plan in agents[agent].context] == ["strategy", "gtm"]


def test_a_pm33_workspace_passes_the_doctor(line: CommandLine) -> None:
    found = [f for f in line("doctor", "--json").json if f["area"] == "workspace"]
    assert found
    assert [f for f in found if f["status"] == "problem"] == []


# Making one


def test_an_existing_workspace_keeps_its_profile(line: CommandLine) -> None:
    before = {p.name: p.read_bytes() for p in line.folder.glob("agents*") if p.is_file()}
    ended = line("init", "--profile", "default", "--json")
    assert (ended.json["created"], ended.json["profile"]) == (False, "pm33")
    assert {p.name: p.read_bytes() for p in line.folder.glob("agents*") if p.is_file()} == before
    assert "began with the profile pm33, and keeps it" in line("init").out


def test_an_unknown_profile_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = CommandLine(tmp_path / "new", capsys, monkeypatch)
    ended = line("init", "--profile", "pm3")
    assert ended.code == 2
    assert "pm33" in ended.err
    assert not line.folder.exists()


def test_what_was_stopped_halfway_is_begun_again(line: CommandLine) -> None:
    (line.folder / "agents.yaml").unlink()
    assert line("init", "--profile", "pm33").code == 0
    assert context_of(line.folder)["day_3_requirements"]["beta_signups_target"] == 15


def test_an_overlay_that_is_there_already_is_the_user_s(tmp_path: Path) -> None:
    overlay = tmp_path / "agents.d" / "pm33.yaml"
    overlay.parent.mkdir()
    overlay.write_text("version: 1\nagents: []\n")
    create(tmp_path, "pm33")
    assert overlay.read_text() == "version: 1\nagents: []\n"
