"""A provider is a folder: what may stand in it, and what is said of one that cannot be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.contract import UsageError
from core.registry.documents import DocumentError
from core.registry.generation.providers import names, provider
from core.registry.generation.rendering import GenerationError, render
from core.registry.generation.subjects import Subject
from tests.unit.generation_team import row, team

PLAIN = """\
title: House
loaded_by: the house's own tool
format: markdown
template: agent.md.j2
paths: {sub-agent: "house/{role}.md"}
tools: {read: [Look], search: [Look]}
fields: {name: role, description: description, tools: tools, body: sop}
required: [name, description, body]
"""
TEMPLATE = """\
---
name: {{ agent.role | yaml_string }}
description: {{ agent.description | yaml_string }}
tools: {{ tools | yaml_list }}
---
{{ agent.sop }}
"""


def house(folder: Path, text: str = PLAIN, template: str = TEMPLATE, name: str = "house") -> Path:
    made = folder / "templates"
    (made / name).mkdir(parents=True)
    (made / name / "provider.yaml").write_text(text, encoding="utf-8")
    (made / name / "agent.md.j2").write_text(template, encoding="utf-8")
    return made


def one(**changes: object) -> tuple[Subject, ...]:
    return team(row("ac-writer", **changes))


def test_a_new_folder_is_a_new_provider(tmp_path: Path) -> None:
    templates = house(tmp_path)

    files = render(provider("house", templates), one())

    assert names(templates)[0] == "claude-code"
    assert "house" in names(templates)
    assert [file.path for file in files] == ["house/ac-writer.md"]
    assert 'tools: ["Look"]' in files[0].text


def test_a_workspace_s_folder_goes_before_the_one_of_the_same_name(tmp_path: Path) -> None:
    templates = house(tmp_path, name="claude-code")

    assert provider("claude-code", templates).file.title == "House"
    assert provider("claude-code").file.title == "Claude Code"
    assert provider("codex", templates).file.title == "Codex"


def test_a_template_may_build_on_the_shared_ones(tmp_path: Path) -> None:
    shared = (
        TEMPLATE.partition("{{ agent.sop }}")[0]
        + '{% set can_delegate = true %}{% set says_tools = true %}{% include "_shared/prompt.md.j2" %}\n'
    )
    templates = house(tmp_path, template=shared)

    assert "## What you may use" in render(provider("house", templates), one())[0].text


def test_an_unknown_name_is_told_the_near_one() -> None:
    with pytest.raises(UsageError, match="There is no provider 'claudecode'; did you mean 'claude-code'"):
        provider("claudecode")


@pytest.mark.parametrize("name", ["_shared", "..", "", "claude-code/../codex", "."])
def test_only_a_provider_s_own_name_finds_it(name: str) -> None:
    with pytest.raises(UsageError, match="There is no provider"):
        provider(name)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: House", "titel: House", "titel: is not a key known here; did you mean 'title'"),
        ("title: House\n", "", "title: is missing"),
        ("format: markdown", "format: rtf", "format"),
        ("house/{role}.md", "house/agent.md", "one {role} per agent"),
        ("house/{role}.md", "../{role}.md", "must be a path inside the folder"),
        ("house/{role}.md", ".git/hooks/{role}", "must be a path inside the folder"),
        ("house/{role}.md", ".apm/{role}.md", "must be a path inside the folder"),
        ("house/{role}.md", "/etc/{role}.md", "must be a path inside the folder"),
        ("house/{role}.md", "a\\\\{role}.md", "must be a path inside the folder"),
        ("paths: {", "path: x.md\npaths: {", "`path` is for sections only"),
        ("required: [name", "required: [nmae", "'nmae' does not stand in `fields`"),
        ("title: House", 'title: House\nnames: "("', "is no regular expression"),
        ("template: agent.md.j2", "template: ../x.j2", "template"),
        ("search: [Look]", "look: [Look]", "tools.look"),
    ],
)
def test_a_bad_file_is_told_where_and_what(tmp_path: Path, old: str, new: str, said: str) -> None:
    templates = house(tmp_path, PLAIN.replace(old, new))

    with pytest.raises(DocumentError, match=re.escape(said)) as caught:
        provider("house", templates)

    assert "provider.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (TEMPLATE.replace("agent.role", "agent.rolle"), "'rolle'"),
        (TEMPLATE.replace("agent.role", "agent.__class__.__mro__"), "unsafe"),
        (TEMPLATE.replace("agent.role", "provider.parse_raw('x', proto='pickle', allow_pickle=True)"), "no attribute"),
        (TEMPLATE.replace("agent.role", "rewritten.__self__.file"), "unsafe"),
        (TEMPLATE.replace("agent.role", "'a' * 10 ** 14"), "the template"),
        (TEMPLATE.replace("agent.role", "team.clear()"), "unsafe"),
        (TEMPLATE.replace("{{ tools", "{{ 1 + tools"), "the template"),
        (TEMPLATE.replace("{{ agent.sop }}", "{{ agent.sop "), "the template"),
        (TEMPLATE.replace("agent.description |", "agent.sop |"), "does not read back the description"),
        (TEMPLATE.replace("{{ agent.sop }}", "{{ agent.sop | upper }}"), "does not read back the whole SOP"),
        (TEMPLATE.replace("tools:", "hands:"), "a field 'hands' that house does not know"),
        (TEMPLATE.replace("tools | yaml_list", "['Wield'] | yaml_list"), "Wield"),
        (TEMPLATE.replace("name: ", "name: x\nname: "), "a field stands twice"),
        (TEMPLATE.replace("name: {{ agent.role | yaml_string }}\n", ""), "has no name"),
        (TEMPLATE.replace("---\n", "", 1), "does not begin with front matter"),
        (TEMPLATE.replace("name: ", "name: a: "), "is not markdown that reads back"),
    ],
)
def test_a_file_that_would_not_load_names_provider_and_agent(tmp_path: Path, template: str, said: str) -> None:
    templates = house(tmp_path, template=template)

    with pytest.raises(GenerationError, match=r"house: .*ac-writer") as caught:
        render(provider("house", templates), one())

    assert said in str(caught.value)


def test_a_body_over_the_limit_is_refused_with_both_lengths() -> None:
    with pytest.raises(
        GenerationError, match=r"copilot: ac-writer has a body of 30,\d{3} characters, and 30,000 are read"
    ):
        render(provider("copilot"), one(sop_content="x" * 30_000 + "\n"))


def test_a_skill_of_too_many_lines_is_refused() -> None:
    with pytest.raises(GenerationError, match="has a body of 501 lines, and 500 are read"):
        render(provider("skills"), one(sop_content="x\n" * 501, skill=True))


@pytest.mark.parametrize("role", ["-writer", "writer-", "ac--writer"])
def test_a_name_that_some_loader_refuses_is_refused_here(role: str) -> None:
    with pytest.raises(GenerationError, match="has a name that"):
        render(provider("claude-code"), team(row(role)))


@pytest.mark.parametrize(("name", "role"), [("claude-code", "general-purpose"), ("opencode", "build")])
def test_an_agent_of_the_tool_s_own_is_not_shadowed(name: str, role: str) -> None:
    with pytest.raises(GenerationError, match=f"{role} has the name of an agent that {name} brings along"):
        render(provider(name), team(row(role)))


@pytest.mark.parametrize("name", ["claude-code", "codex", "gemini-cli"])
@pytest.mark.parametrize("changes", [{"sop_content": "\u200b\n"}, {"description": "\u200b"}])
def test_an_agent_that_says_nothing_visible_is_refused(name: str, changes: dict[str, str]) -> None:
    with pytest.raises(GenerationError, match="has no words"):
        render(provider(name), one(**changes))


def test_no_more_than_ten_problems_are_listed() -> None:
    with pytest.raises(GenerationError, match="… and 4 more"):
        render(provider("claude-code"), team(*(row(f"-a{n}") for n in range(14))))


def test_two_agents_never_share_a_file(tmp_path: Path) -> None:
    twice = one() + one()

    with pytest.raises(GenerationError, match="ac-writer and ac-writer would both be"):
        render(provider("claude-code"), twice)


@pytest.mark.parametrize("name", names())
def test_every_provider_says_who_loads_its_files(name: str) -> None:
    assert provider(name).file.loaded_by


def test_a_template_that_is_a_link_to_elsewhere_is_not_read(tmp_path: Path) -> None:
    templates = house(tmp_path, template=TEMPLATE + '{% include "leak.j2" %}')
    secret = tmp_path / "secret"
    secret.write_text("secret\n", encoding="utf-8")
    (templates / "house" / "leak.j2").symlink_to(secret)

    with pytest.raises(GenerationError, match="leads outside of the templates"):
        render(provider("house", templates), one())
