"""Every provider's files read back as what went in, for the whole registry and for agents that mean harm."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.registry.generation import providers
from core.registry.generation.providers import provider
from core.registry.generation.rendering import RenderedFile, render
from core.registry.generation.section import BEGIN, END
from core.registry.generation.subjects import subjects
from tests.unit.generation_team import SMALL, registry, row

PROVIDERS = (
    *("claude-code", "agents-md", "codex", "copilot", "cursor", "cursor-agents", "gemini", "gemini-cli", "opencode"),
    "skills",
)
PER_AGENT = tuple(name for name in PROVIDERS if name != "agents-md")

AWKWARD = (
    *('"""', '""', "\\", "'", "\n---\n", "---", "{{ agent.role }}", "{% include 'x' %}", "{#", "]]>", "<![CDATA["),
    *(
        "<!-- x -->",
        "</agent>",
        "&amp;",
        "key: value",
        "# no comment",
        "|",
        "`",
        "${HOME}",
        "$ARGUMENTS",
        "!`id`",
        "\t",
    ),
    *("\x1b[31m", "\u202e", "\x85", "\ufeff", "\ufffe", "😀", "ẞ", "\n\n\n", " ", f"\n{BEGIN}\n", f"\n{END}\n"),
)
TEXTS = st.lists(
    st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1, max_size=8
).map("".join)
WORDS = TEXTS.map(lambda text: f"x{text}")


def parsed_markdown(text: str) -> tuple[dict[str, Any], str]:
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def from_markdown(text: str) -> tuple[str, str]:
    fields, body = parsed_markdown(text)
    return fields["description"], body


def from_toml(text: str) -> tuple[str, str]:
    fields = tomllib.loads(text)
    return fields["description"], fields["developer_instructions"]


def from_json(text: str) -> tuple[str, str]:
    fields = json.loads(text)
    return fields["description"], fields["instructions"]


def from_xml(text: str) -> tuple[str, str]:
    root = ElementTree.fromstring(text)
    return root.findtext("description") or "", root.findtext("instructions") or ""


READERS: dict[str, Callable[[str], tuple[str, str]]] = {
    "codex": from_toml,
    "cursor": from_json,
    "gemini": from_xml,
}


def rendered(name: str, role: str) -> str:
    made = render(provider(name), registry(), frozenset([role]))
    return made[0].text


def test_the_providers_are_those_that_the_folders_make() -> None:
    assert providers.names() == PROVIDERS


@pytest.mark.parametrize("name", PER_AGENT)
@settings(max_examples=60)
@given(description=WORDS, display_name=WORDS, sop=WORDS)
@example(description='x"', display_name="x\\", sop='x"""')
@example(description="x: y # z", display_name="- x", sop="---\nname: evil\n---\n")
def test_what_an_agent_says_comes_back_whole(name: str, description: str, display_name: str, sop: str) -> None:
    hostile = row("ac-writer", description=description, display_name=display_name, sop_content=sop, skill=True)
    subject = subjects([hostile])[0]
    known = provider(name)

    file = render(known, [subject])[0]
    read_description, read_body = READERS.get(name, from_markdown)(file.text)

    assert read_description == subject.description
    assert known.rewritten(subject.sop) in read_body
    assert "\r" not in file.text


@settings(max_examples=60)
@given(description=WORDS, sop=WORDS)
def test_no_agent_ends_the_section_of_agents_md(description: str, sop: str) -> None:
    team = subjects([*SMALL[:2], row("ac-writer", description=description, sop_content=sop)])

    text = render(provider("agents-md"), team)[0].text

    assert BEGIN not in text
    assert END not in text
    assert "- `ac-writer`: " in text


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_whole_registry_is_made(name: str) -> None:
    files = render(provider(name), registry())

    wanted = {s.role for s in registry() if name != "skills" or s.skill}
    assert {file.role for file in files} == ({""} if name == "agents-md" else wanted)
    assert list(files) == sorted(files, key=lambda file: file.path)


def test_claude_code_gets_the_tree_that_the_founding_text_draws() -> None:
    folders: dict[str, list[str]] = {}
    for file in render(provider("claude-code"), registry()):
        folder, _, leaf = file.path.rpartition("/")
        folders.setdefault(folder, []).append(leaf)

    assert folders[".claude/agents"] == ["master-orchestrator.md"]
    assert len(folders[".claude/agents/orchestrators"]) == 6
    assert len(folders[".claude/agents/sub-agents"]) >= 36
    assert len(folders[".claude/agents/utilities"]) == 3
    assert len(folders[".claude/agents/domain"]) == 4


def test_claude_code_starts_only_those_that_an_orchestrator_may_ask() -> None:
    fields, _ = parsed_markdown(rendered("claude-code", "master-orchestrator"))

    assert fields["tools"] == [
        "Agent(definition-orch, planning-orch, implementation-orch, review-test-orch, release-ops-orch, evolution-orch,"
        " gtm, strategy, technical, ux)"
    ]
    assert fields["model"] == "inherit"


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("claude-code", ["Read", "Grep", "Glob"]),
        ("gemini-cli", ["read_file", "read_many_files", "list_directory", "grep_search", "glob"]),
        ("copilot", ["read", "search"]),
    ],
)
def test_tools_have_the_names_that_the_provider_gives_them(name: str, tools: list[str]) -> None:
    fields, _ = parsed_markdown(render(provider(name), subjects([row("ac-writer")]))[0].text)

    assert fields["tools"] == tools


@pytest.mark.parametrize("name", ["claude-code", "gemini-cli", "copilot"])
def test_an_agent_without_tools_gets_none_instead_of_all(name: str) -> None:
    fields, _ = parsed_markdown(render(provider(name), subjects([row("ac-writer", tools=[])]))[0].text)

    assert fields["tools"] == []


def test_opencode_is_told_what_to_deny_and_whom_an_agent_may_call() -> None:
    fields, _ = parsed_markdown(rendered("opencode", "definition-orch"))
    permission = fields["permission"]

    assert {word for word, value in permission.items() if value == "deny"} == {
        *("read", "list", "grep", "glob", "edit", "bash", "webfetch", "websearch")
    }
    assert list(permission["task"])[:2] == ["*", "intent-triage"]
    assert set(permission["task"].values()) == {"deny", "allow"}


def test_cursor_is_told_who_may_only_read() -> None:
    reader, writer = subjects([row("ac-writer"), row("code-implementer", tools=["read", "edit"])])
    files = {file.role: file for file in render(provider("cursor-agents"), [reader, writer])}

    assert parsed_markdown(files["ac-writer"].text)[0]["readonly"] is True
    assert parsed_markdown(files["code-implementer"].text)[0]["readonly"] is False


@pytest.mark.parametrize("name", [n for n in PER_AGENT if n != "skills"])
def test_a_domain_agent_reads_its_authority_in_its_file(name: str) -> None:
    _, body = READERS.get(name, from_markdown)(rendered(name, "technical"))
    decides, _, escalates = body.partition("### Escalate, never decide")

    assert "| `api_endpoints` |" in decides
    assert "| `security` |" in escalates


@pytest.mark.parametrize("name", [n for n in PER_AGENT if n != "skills"])
def test_an_orchestrator_reads_its_team_and_its_gate_in_its_file(name: str) -> None:
    _, body = READERS.get(name, from_markdown)(rendered(name, "planning-orch"))

    assert "- `estimator`: " in body
    assert "- `mitigations`" in body


def test_only_a_model_that_the_provider_knows_is_named() -> None:
    team = subjects([row("ac-writer", model="claude-sonnet-5-5"), row("intent-triage", model="gpt-9")])

    claude = {f.role: parsed_markdown(f.text)[0]["model"] for f in render(provider("claude-code"), team)}
    gemini = {f.role: parsed_markdown(f.text)[0].get("model") for f in render(provider("gemini-cli"), team)}

    assert claude == {"ac-writer": "claude-sonnet-5-5", "intent-triage": "inherit"}
    assert gemini == {"ac-writer": None, "intent-triage": None}


def test_gemini_cli_finds_no_place_for_inputs_that_nobody_gives() -> None:
    _, body = from_markdown(
        render(provider("gemini-cli"), subjects([row("ac-writer", sop_content="Run ${HOME}/x ${{ y }}\n")]))[0].text
    )

    assert body.startswith("Run ${ HOME }/x ${{ y }}\n")


def test_a_skill_runs_nothing_while_it_is_loaded() -> None:
    made = render(
        provider("skills"), subjects([row("ac-writer", sop_content="!`id` $ARGUMENTS $1 $HOME\n", skill=True)])
    )

    assert from_markdown(made[0].text)[1] == "! `id` \\$ARGUMENTS \\$1 $HOME\n"
    assert made[0].path == ".claude/skills/ac-writer/SKILL.md"


def test_two_providers_of_one_tool_live_side_by_side() -> None:
    paths: list[RenderedFile] = [file for name in PROVIDERS for file in render(provider(name), registry())]

    assert len({file.path for file in paths}) == len(paths)


def test_the_busiest_orchestrator_names_its_specialists_without_repeating_them() -> None:
    body = from_markdown(rendered("copilot", "implementation-orch"))[1]

    assert "- in place of `code-implementer`, where its technology is the task's: `" in body
    assert len(body) < 15_000
