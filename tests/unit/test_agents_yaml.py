"""The `agents.yaml` that apm comes with: who is in it, what executes them, and that each has a procedure of its own."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest

from core.agents.definition import CONTEXT_CHARACTERS
from core.orchestration.criteria import CHECKS
from core.orchestration.gates import THRESHOLDS
from core.phases import PHASES, PhaseSpec
from core.registry.catalog import Agent, Catalog, default_path, load, not_applicable
from core.registry.schema import CRITERIA

HEADINGS = ("Inputs", "Steps", "Output", "Gate", "Never", "BLOCKED")
OF_A_SPECIALIST = ("Patterns", "Anti-patterns", "Tests", "Common failures")
MOST_SHARED = 0.60
SHINGLE = 3

CATALOG = load(default_path())
AGENTS = list(CATALOG.agents.values())
SUB_AGENTS = [role for phase in PHASES for role in phase.roles]


@pytest.fixture
def catalog() -> Catalog:
    return CATALOG


def roles_of(agent_type: str) -> list[str]:
    return [agent.role for agent in AGENTS if agent.type == agent_type]


def test_three_tiers_and_the_domain_agents_beside_them(catalog: Catalog) -> None:
    assert [agent.role for agent in AGENTS if agent.tier == 1] == ["master-orchestrator"]
    assert [agent.role for agent in AGENTS if agent.tier == 2] == [phase.orchestrator for phase in PHASES]
    assert roles_of("sub-agent") == [*SUB_AGENTS, "context-delivery"]
    assert len(SUB_AGENTS) == 36
    assert roles_of("utility") == ["evidence-writer", "workflow-updater", "decision-recorder"]
    assert roles_of("domain") == ["technical", "strategy", "ux", "gtm"]


def test_what_measures_is_code_and_what_thinks_or_writes_is_whatever_is_configured(catalog: Catalog) -> None:
    tools = {
        *(phase.gate_agent for phase in PHASES),
        *("test-runner", "static-analyzer", "threat-screener", "ac-verifier", "dependency-mapper", "versioner"),
        *("changelog-curator", "deploy-orchestrator", "health-verifier", "context-assembler", "signal-harvester"),
        "debt-registrar",
    }
    readers = {"pattern-applier", "sunset-planner", "incident-scribe"}
    expected = {role: "tool" if role in tools else "offline" if role in readers else "auto" for role in SUB_AGENTS}

    assert {role: catalog.agents[role].runtime for role in SUB_AGENTS} == expected
    assert {catalog.agents[role].fallback for role in ("code-implementer", "test-implementer")} == {"human"}
    assert {agent.runtime for agent in AGENTS if agent.type in ("orchestrator", "utility")} == {"tool"}


def test_the_agents_with_an_outward_effect_are_those_that_release() -> None:
    assert [agent.role for agent in AGENTS if agent.outward] == [
        "versioner",
        "changelog-curator",
        "deploy-orchestrator",
    ]


def test_the_gates_measure_against_the_figures_and_criteria_of_the_file(catalog: Catalog) -> None:
    figures = {phase.code: catalog.gates.thresholds.of(phase.code).model_dump() for phase in PHASES}

    assert figures == THRESHOLDS
    assert {code: tuple(checks) for code, checks in CHECKS.items()} == CRITERIA
    assert catalog.gates.thresholds.D1.business_context_chars == CONTEXT_CHARACTERS


@pytest.mark.parametrize(
    ("work_item", "exempt"),
    [
        ("feature", set()),
        ("bug", set()),
        ("docs", {"I1.tests", "R1.tests_pass", "R1.coverage"}),
        ("spike", {"I1.tests", "R1.tests_pass", "R1.coverage"}),
        ("chore", {"I1.tests", "I1.docs"}),
    ],
)
def test_criteria_that_a_type_makes_pointless(catalog: Catalog, work_item: str, exempt: set[str]) -> None:
    found = {f"{p.code}.{name}" for p in PHASES for name in not_applicable(catalog, p.code, work_item)}

    assert found == exempt


def test_a_docs_label_carries_no_code_past_the_gate(catalog: Catalog) -> None:
    assert "coverage" in not_applicable(catalog, "R1", "docs", ["README.md", "docs/guide/start.html"])
    assert not not_applicable(catalog, "R1", "docs", ["README.md", "src/app.py"])


def test_the_authority_of_each_domain_agent(catalog: Catalog) -> None:
    counts = {}
    for role in roles_of("domain"):
        authority = catalog.agents[role].authority
        assert authority is not None
        counts[role] = (len(authority.autonomous), len(authority.escalate))

    assert counts == {"technical": (11, 5), "strategy": (10, 10), "ux": (10, 10), "gtm": (10, 10)}


@pytest.mark.parametrize(
    ("role", "mode", "keys"),
    [
        ("technical", "autonomous", "api_endpoints db_schema component_design performance new_dependency"),
        ("technical", "escalate", "architecture security external_service"),
        ("strategy", "escalate", "pricing positioning value_proposition"),
        ("ux", "autonomous", "accessibility component_styling layout mobile"),
        ("ux", "escalate", "conversion_flow navigation command_center"),
        ("gtm", "autonomous", "content_creation email_sequence social_media campaign"),
        ("gtm", "escalate", "pricing_strategy brand_positioning partnerships"),
    ],
)
def test_kinds_that_the_commission_names(catalog: Catalog, role: str, mode: str, keys: str) -> None:
    assert set(keys.split()) <= {kind.key for kind in getattr(catalog.agents[role].authority, mode)}


def test_domain_agents_get_documents_and_only_they_do() -> None:
    assert [agent.role for agent in AGENTS if agent.context] == roles_of("domain")


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.role)
def test_a_procedure_says_all_that_its_agent_must_know(agent: Agent) -> None:
    headings = re.findall(r"^## (.+)$", agent.sop, re.MULTILINE)
    wanted = HEADINGS if agent.type != "specialist" else (*HEADINGS, *OF_A_SPECIALIST)

    assert set(wanted) <= set(headings) <= {*wanted, "Example"}
    assert len(headings) == len(set(headings))
    fewest, most = (120, 450) if agent.type != "specialist" else (400, 1_300)
    assert fewest <= len(agent.sop.split()) <= most


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.role)
def test_its_steps_are_numbered_and_enough_to_follow(agent: Agent) -> None:
    steps = re.findall(r"^(\d+)\. ", agent.sop.split("## Steps")[1].split("\n## ")[0], re.MULTILINE)

    assert steps == [str(n) for n in range(1, len(steps) + 1)]
    assert len(steps) >= (3 if agent.type == "orchestrator" else 4)


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.role)
def test_it_is_plain_text_that_every_provider_can_carry(agent: Agent) -> None:
    assert max(map(len, agent.sop.splitlines())) <= 112
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\{\{|\{%|<!--", agent.sop)
    assert agent.sop.count("```") % 2 == 0


SPECIALISTS = [agent for agent in AGENTS if agent.type == "specialist"]
OUTPUT_KEYS = {
    "code-implementer": ("task", "commits", "files", "summary", "verifies"),
    "test-implementer": ("task", "commits", "files", "summary", "verifies"),
    "migration-author": ("schema_changed", "created"),
    "doc-toucher": ("updated", "files"),
}
"""What I1 reads of the agents that a specialist may stand in for."""


def test_the_team_is_as_large_as_promised_and_named_as_the_commission_names_it() -> None:
    names = {agent.role for agent in SPECIALISTS}

    assert len(SPECIALISTS) >= 40
    assert len(AGENTS) >= 84
    assert names >= {
        *("python-implementer", "python-tester", "python-debugger", "django-backend-implementer"),
        *("django-api-integrator", "django-tester", "react-frontend-implementer", "react-tester"),
        *("flask-api-implementer", "fastapi-implementer", "aipm-database-developer", "aipm-quality-validator"),
        *("aipm-testing-specialist", "aipm-documentation-specialist", "api-documenter", "cicd-automator"),
        *("deployment-specialist", "typescript-implementer", "typescript-tester", "mobile-tester"),
    }


@pytest.mark.parametrize("agent", SPECIALISTS, ids=lambda agent: agent.role)
def test_a_specialist_is_chosen_by_something_and_stands_in_for_somebody(agent: Agent) -> None:
    assert agent.select is not None
    assert agent.select.model_dump(exclude_defaults=True)
    assert agent.serves
    assert agent.technologies
    output = agent.sop.split("## Output")[1].split("\n## ")[0]
    wanted = [key for role in agent.serves[:1] for key in OUTPUT_KEYS.get(role, ())]
    assert [key for key in wanted if f'"{key}"' not in output] == []


def test_the_universal_agents_are_chosen_for_every_project() -> None:
    always = {agent.role for agent in AGENTS if agent.select is not None and agent.select.always}

    assert always == {
        *("context-delivery", "ac-writer", "test-runner", "quality-gatekeeper"),
        *("evidence-writer", "workflow-updater", "decision-recorder"),
    }


def test_every_language_and_framework_of_the_commission_has_its_people() -> None:
    known = {word for agent in SPECIALISTS for word in agent.technologies}

    assert known >= {
        *("python", "typescript", "javascript", "go", "rust", "java", "kotlin", "c#", "ruby", "php", "swift", "c++"),
        *("django", "flask", "fastapi", "react", "nextjs", "vue", "angular", "svelte", "express", "spring", "rails"),
        *("laravel", "sql", "openapi", "docker", "kubernetes", "terraform"),
    }


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.code)
def test_the_procedure_of_a_gate_check_names_every_criterion_of_its_gate(phase: PhaseSpec) -> None:
    sop = CATALOG.agents[phase.gate_agent].sop

    assert [name for name in CRITERIA[phase.code] if f"`{name}`" not in sop] == []


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.code)
def test_every_criterion_is_fed_by_an_agent_whose_procedure_says_so(phase: PhaseSpec) -> None:
    served = " ".join(CATALOG.agents[step.agent].sop.split("## Gate")[1].split("##")[0] for step in phase.steps)

    assert [name for name in CRITERIA[phase.code] if f"`{name}`" not in served] == []


def shingles(agent: Agent) -> set[tuple[str, ...]]:
    """The runs of three words in a procedure's text, its headings left out."""
    words = re.sub(r"^#.*$", "", agent.sop, flags=re.MULTILINE).lower().split()
    return {tuple(words[n : n + SHINGLE]) for n in range(len(words) - SHINGLE + 1)}


def test_no_two_procedures_are_the_same_text() -> None:
    made = {agent.role: shingles(agent) for agent in AGENTS}
    shared = {
        (one, other): len(made[one] & made[other]) / min(len(made[one]), len(made[other]))
        for one, other in itertools.combinations(made, 2)
    }

    assert {pair: share for pair, share in shared.items() if share > MOST_SHARED} == {}


def test_names_and_descriptions_are_their_own() -> None:
    for values in ([a.display_name for a in AGENTS], [a.description for a in AGENTS]):
        assert max(Counter(values).values()) == 1
