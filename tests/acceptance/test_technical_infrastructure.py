"""A workspace is made, agents know their own documents, the shared context goes out and in, authority is as agreed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.contract import Json
from tests.acceptance.people import agent, decide, write
from tests.unit.command_line import CommandLine


def test_system_initialization(pm33: CommandLine) -> None:
    """One command makes everything that the others need; a second one changes nothing."""
    assert (pm33.folder / "state" / "apm.db").is_file()
    team = pm33("agents", "list", "--json").json
    tiers = [row["tier"] for row in team]
    assert (tiers.count(1), tiers.count(2), len(team) >= 84) == (1, 6, True)
    assert {row["role"] for row in team if row["agent_type"] == "domain"} == {"technical", "strategy", "ux", "gtm"}
    assert pm33("audit", "verify").code == 0
    assert "problem" not in {f["status"] for f in pm33("doctor", "--json").json if f["area"] == "workspace"}
    before = {path: path.read_bytes() for path in pm33.folder.rglob("*.yaml")}

    again = pm33("init", "--profile", "default", "--json").json

    assert (again["created"], again["profile"]) == (False, "pm33")
    assert again["milestone"] == {"tag": "day_3", "title": "Day 3"}
    assert {path: path.read_bytes() for path in pm33.folder.rglob("*.yaml")} == before


def test_context_loading_and_mapping(pm33: CommandLine, tmp_path: Path) -> None:
    """Each domain agent is given its own documents; others', and what lies outside, it is not."""
    write(
        pm33.folder,
        {
            "PM33/architecture/engines.md": "several engines",
            "PM33/competitive/rivals.md": "three rivals",
            "PM33/design/colours.md": "dark",
            "PM33/final drafts/post 1.md": "approved",
            "PM33/Templates/mail.md": "Hello",
            "PM33/pm33_100k_mrr_plan.md": "$49 to $149",
            "diary.md": "nobody's business",
        },
    )
    (tmp_path / "outside.md").write_text("a secret of another place")
    (pm33.folder / "PM33" / "Templates" / "linked.md").symlink_to(tmp_path / "outside.md")

    context = {role: agent(pm33, role)["context"] for role in ("technical", "strategy", "ux", "gtm")}

    assert {role: found["given"] for role, found in context.items()} == {
        "technical": ["PM33/architecture/engines.md"],
        "strategy": ["PM33/competitive/rivals.md", "PM33/pm33_100k_mrr_plan.md"],
        "ux": ["PM33/design/colours.md", "PM33/architecture/engines.md"],
        "gtm": [
            "PM33/pm33_100k_mrr_plan.md",
            "PM33/competitive/rivals.md",
            "PM33/final drafts/post 1.md",
            "PM33/Templates/mail.md",
        ],
    }
    assert "PM33/marketing/**" in context["gtm"]["missing"]


def test_shared_context_management(pm33: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts go out and come in; what apm has counted cannot be brought in as if it had been earned."""
    decide(pm33, "technical", "caching", question="How long are pages kept?")

    out = pm33("state", "export", "-").json

    assert set(out) >= {
        *("strategic_state", "technical_progress", "day_3_requirements", "agentic_ai_teams", "decisions_log"),
        *("conflicts_log", "agent_performance_metrics", "scope_optimization_data"),
    }
    assert out["day_3_requirements"]["beta_signups_target"] == 15
    assert out["strategic_state"]["revenue_target"].startswith("$100K MRR")
    assert [entry["question"] for entry in out["decisions_log"]] == ["How long are pages kept?"]

    changed: Json = {**out, "day_3_requirements": {**out["day_3_requirements"], "beta_signups_target": 20}}
    changed["decisions_log"] = [{**entry, "choice": "forged"} for entry in out["decisions_log"]] * 3
    changed["scope_optimization_data"] = {"authority": {"technical": {"security": "autonomous"}}}
    other = CommandLine(tmp_path / "other", pm33.capsys, monkeypatch)
    other("init", "--profile", "pm33")
    for line in (pm33, other):
        brought = line("state", "import", "-", "--by", "ada", "--json", stdin=json.dumps(changed))
        assert (brought.code, brought.json["kept"]) == (0, ["day_3_requirements"])

    assert pm33("state", "export", "-").json == {**out, "day_3_requirements": changed["day_3_requirements"]}
    there = other("state", "export", "-").json
    assert there["day_3_requirements"]["beta_signups_target"] == 20
    assert there["decisions_log"] == []
    assert there["scope_optimization_data"]["authority"]["technical"]["security"] == "escalate"


SEED = {
    # What the commission's matrix names, by agent: some autonomous kinds, and some that escalate.
    "technical": ({"api_endpoints", "db_schema", "component_design", "performance"}, {"architecture", "security"}),
    "strategy": ({"competitive_analysis", "framework_selection", "metrics_tracking"}, {"positioning", "pricing"}),
    "ux": ({"component_styling", "layout", "accessibility", "mobile"}, {"conversion_flow", "navigation"}),
    "gtm": ({"content_creation", "social_media", "campaign"}, {"pricing_strategy", "partnerships"}),
}


def test_agent_initialization(pm33: CommandLine) -> None:
    """Eleven and five kinds for technical, ten and ten for the others; nobody begins with a record."""
    for role, (own, asked) in SEED.items():
        shown = agent(pm33, role)
        modes = {mode: {kind["key"] for kind in kinds} for mode, kinds in shown["authority"].items()}
        counts = (len(modes["autonomous"]), len(modes["escalate"]))
        assert counts == ((11, 5) if role == "technical" else (10, 10))
        assert own <= modes["autonomous"]
        assert asked <= modes["escalate"]
        assert not modes["autonomous"] & modes["escalate"]
        assert shown["sop"].strip()
        assert set(shown["performance"].values()) == {0}
        assert shown["metrics"]["runs"] == 0
