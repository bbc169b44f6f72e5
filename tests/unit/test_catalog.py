"""Reading `agents.yaml`: what comes with apm, what an edit means, and what it loads."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.contract import UsageError
from core.registry.catalog import (
    Catalog,
    CatalogError,
    default_path,
    load,
    loosened,
    matches,
    not_applicable,
    thresholds,
)
from core.registry.columns import agent_columns
from core.registry.documents import Document, parse
from core.runtimes.coding.limits import limits_of
from tests.unit.catalog_file import SHIPPED, complaint, edited, write


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(default_path())


def test_the_shipped_file_is_a_catalog(catalog: Catalog) -> None:
    assert len(catalog.agents) == SHIPPED.count("\n  - role: ")
    assert catalog.defaults.limits.model_dump() == {
        "parallel_work_items": 4,
        "revision_rounds": 3,
        "delegation_seconds": 600,
    }
    assert (catalog.defaults.milestone.tag, catalog.defaults.milestone.title) == ("milestone", "Milestone")
    assert catalog.conflicts.otherwise.urgency == "DAILY"


def test_the_digest_is_that_of_the_file(tmp_path: Path, catalog: Catalog) -> None:
    assert load(write(tmp_path, SHIPPED)).digest == catalog.digest
    assert load(write(tmp_path, SHIPPED + "# later\n")).digest != catalog.digest


def test_defaults_fill_what_an_agent_leaves_out(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, "sub-agent: auto", "sub-agent: anthropic")
    text = path.read_text(encoding="utf-8").replace("model: null", "model: some-model")
    agents = load(write(tmp_path, text)).agents

    assert (agents["ac-writer"].runtime, agents["ac-writer"].model, agents["ac-writer"].seconds) == (
        *("anthropic", "some-model", 600),
    )
    assert agents["definition-gate-check"].runtime == "tool"
    assert agents["code-implementer"].runtime == "auto"
    assert agents["test-runner"].seconds == 2400


def test_agents_that_measure_stay_tools_when_no_runtime_is_written(tmp_path: Path) -> None:
    text = SHIPPED.replace("    runtime: tool\n", "").replace("    runtime: auto\n", "")
    agents = load(write(tmp_path, text)).agents

    assert {agents[role].runtime for role in ("test-runner", "quality-gatekeeper", "planning-orch")} == {"tool"}
    assert agents["test-implementer"].runtime == "auto"


def test_a_type_of_work_item_may_have_figures_of_its_own(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, "by_type: {}", "by_type: {spike: {D1: {acceptance_criteria: 1}}}")
    figures = thresholds(load(path), "D1", "spike")

    assert figures == {"business_context_chars": 50, "acceptance_criteria": 1, "risks": 1, "six_w_confidence": 0.7}
    assert isinstance(figures["acceptance_criteria"], int)


def entry(value: Any, **rest: str) -> dict[str, Any]:
    return {"value": value, **rest}


def test_a_project_may_ask_for_more(catalog: Catalog) -> None:
    own = {"coverage": entry(95), "max_hours": entry(2)}

    assert thresholds(catalog, "R1", "feature", own)["coverage"] == 95
    assert thresholds(catalog, "P1", "feature", own)["max_hours"] == 2
    assert loosened(catalog, "R1", "feature", own) == {}


def test_a_project_may_ask_for_less_when_a_person_stands_for_it(catalog: Catalog) -> None:
    own = {"static_issues": entry(3, by="Ines", reason="legacy parser until May")}

    assert thresholds(catalog, "R1", "bug", own)["static_issues"] == 3
    assert loosened(catalog, "R1", "bug", own) == {"static_analysis": "0 → 3 by Ines: legacy parser until May"}


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"coverage": entry(80)}, "coverage of 80 is looser than 90, and nobody stands for it"),
        ({"coverage": entry(80, by="Ines", reason="")}, "nobody stands for it"),
        ({"max_hours": entry(8)}, "max_hours of 8 is looser than 4"),
        ({"coverage": entry(101)}, "coverage"),
        ({"coverage": entry("much")}, "coverage"),
    ],
)
def test_what_a_project_may_not_ask_for(catalog: Catalog, own: dict[str, Any], told: str) -> None:
    phase = "P1" if "max_hours" in own else "R1"

    with pytest.raises(UsageError, match=re.escape(told)):
        thresholds(catalog, phase, "feature", own)


def test_a_rule_that_exempts_says_why(catalog: Catalog) -> None:
    rule = not_applicable(catalog, "I1", "chore")["docs"]

    assert (rule.id, rule.why) == (
        "chores-change-no-behaviour",
        "What behaves as before needs no new test and no new page; R1 still runs every test there is.",
    )


@pytest.mark.parametrize(
    ("path", "glob", "fits"),
    [
        ("README.md", "*.md", True),
        ("docs/a/b.md", "*.md", True),
        ("docs/a/b.md", "docs/*.md", False),
        ("docs/a/b.md", "docs/**", True),
        ("docs/b.md", "docs/**/*.md", True),
        ("src/docs/b.py", "docs/**", False),
        ("a.mdx", "*.md", False),
        ("README[1].md", "README[1]*", True),
    ],
)
def test_globs(path: str, glob: str, fits: bool) -> None:
    assert matches(path, glob) is fits


def test_an_installed_package_finds_the_file_beside_its_registry(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(default_path().parent / "core", site / "core", ignore=shutil.ignore_patterns("__pycache__", "demo"))
    shutil.copy(default_path(), site / "core/registry/agents.yaml")
    code = "from core.registry.catalog import *; print(load(default_path()).path)"
    done = subprocess.run([sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(site / "core/registry/agents.yaml")


def test_importing_the_registry_loads_neither_yaml_nor_pydantic() -> None:
    code = "import sys, core.registry; sys.exit(any(m in sys.modules for m in ('yaml', 'pydantic')))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def keys_of(document: Document) -> list[tuple[int, str]]:
    """Line and last key of every place that a line of its own begins."""
    found = [(line, place[-1]) for place, line in document.lines.items() if place and isinstance(place[-1], str)]
    lines = SHIPPED.splitlines()
    return [(line, str(key)) for line, key in found if lines[line - 1].lstrip(" -").startswith(f"{key}:")]


KEYS = keys_of(parse(SHIPPED.encode(), "agents.yaml"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(KEYS),
    st.sampled_from(["delete", "misspell", "null", "text", "number", "list", "mapping", "indent", "double"]),
)
def test_a_file_with_one_key_changed_loads_or_is_refused(tmp_path: Path, key: tuple[int, str], change: str) -> None:
    number, name = key
    lines = SHIPPED.splitlines()
    line = lines[number - 1]
    head = line[: line.index(f"{name}:")] + f"{name}:"
    values = {"null": " ~", "text": " what", "number": " 7", "list": " [x]", "mapping": " {x: 1}"}
    lines[number - 1 : number] = {
        "delete": [],
        "misspell": [line.replace(name, name + "x", 1)],
        "indent": ["   " + line],
        "double": [line, line],
    }.get(change, [head + values.get(change, "")])

    with contextlib.suppress(CatalogError):
        assert load(write(tmp_path, "\n".join(lines))).agents


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    value: 8\n", "    value: 9\n", "escalate_first[high-impact].value: is 9; it must be 8 or less"),
        (
            "    when: milestone_tag\n    urgency: IMMEDIATE",
            "    when: milestone_tag\n    urgency: WEEKLY",
            "IMMEDIATE",
        ),
        ("    when: impact_above\n    value: 8\n", "    when: milestone_tag\n", "no rule with `when: impact_above`"),
    ],
)
def test_a_team_may_be_stricter_about_what_comes_to_a_person_and_never_laxer(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path, _ = edited(tmp_path, old, new)

    assert said in complaint(path)


def test_an_agents_limits_stand_in_its_row_where_its_runtime_finds_them(tmp_path: Path) -> None:
    path, _ = edited(
        tmp_path, "limits: {seconds: 3600}", "limits: {turns: 12, bytes: 90000}", after="role: code-implementer"
    )
    agents = load(path).agents

    said, silent = agents["code-implementer"], agents["test-implementer"]

    assert json.loads(agent_columns(said, "x")["parameters"]) == {
        "seconds": 600,
        "fallback": "human",
        "limits": {"turns": 12, "bytes": 90_000},
    }
    assert "limits" not in json.loads(agent_columns(silent, "x")["parameters"])
    assert limits_of(json.loads(agent_columns(said, "x")["parameters"])).turns == 12
