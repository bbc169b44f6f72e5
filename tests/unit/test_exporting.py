"""Export: a file that imports back to the same rows, and that keeps what a person wrote around the values."""

from __future__ import annotations

import difflib
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from core import workspace as workspaces
from core.governance import authority
from core.governance.team import import_catalog
from core.places import FILE
from core.registry.catalog import CatalogError, default_path, load_sources
from core.registry.changes import Known, changes
from core.registry.columns import file_values
from core.registry.exporting import export
from core.registry.importing import read_known
from core.registry.sources import Sources
from core.store.schema import Agent
from core.workspace import OVERLAYS, Workspace
from tests.fresh import fresh_store

ENTRY = re.compile(r"^  - role: [\w-]+\n(?:    .*\n|\n)*?    type: specialist\n(?:    .*\n|\n)*", re.MULTILINE)
SHIPPED = ENTRY.sub(lambda entry: entry[0] if "python" in entry[0] else "", default_path().read_text(encoding="utf-8"))
"""The file that apm comes with, of its specialists only those who know Python: writing them all takes a while."""
DATA = yaml.load(SHIPPED, Loader=yaml.CSafeLoader)
SMALL = SHIPPED[: SHIPPED.index("- role: context-delivery")].rstrip(" ")
"""The beginning of the file, as a template that lacks half of the team."""


@pytest.fixture
def workspace(tmp_path: Path) -> Any:
    folder = workspaces.create(tmp_path / "ws")
    (folder / FILE).write_text(SHIPPED, encoding="utf-8")
    with Workspace.open(folder) as opened:
        yield opened


def known(workspace: Workspace) -> Known:
    return workspace.store.read_now(read_known)


def exported(workspace: Workspace, template: str | None = SHIPPED) -> str:
    found = known(workspace)
    return export(found, found.sections, None if template is None else template.encode())


def set_columns(workspace: Workspace, role: str, **columns: Any) -> None:
    number = known(workspace).agents[role].id

    def write(tx: Any) -> None:
        tx.update(Agent, number, **columns)
        tx.event("agents.changed")

    workspace.store.write_now(write)


def differing(text: str, original: str = SHIPPED) -> list[str]:
    lines = difflib.unified_diff(original.splitlines(), text.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def means(text: str, path: Path = Path(FILE)) -> Any:
    return load_sources(Sources(path, text.encode()))


def test_a_file_that_says_it_all_already_is_given_back_to_the_letter(workspace: Workspace) -> None:
    assert exported(workspace) == SHIPPED


def test_only_the_value_that_changed_changes(workspace: Workspace) -> None:
    set_columns(workspace, "code-implementer", runtime="claude-code")

    assert differing(exported(workspace)) == ["-    runtime: auto", "+    runtime: claude-code"]


def test_a_value_that_the_defaults_gave_gets_a_line_of_its_own_before_the_procedure(workspace: Workspace) -> None:
    set_columns(workspace, "ac-writer", runtime="human")

    text = exported(workspace)

    assert differing(text) == ["+    runtime: human"]
    assert means(text).agents["ac-writer"].runtime == "human"
    assert text.index("runtime: human", text.index("role: ac-writer")) < text.index(
        "sop: |", text.index("role: ac-writer")
    )


def test_a_procedure_stays_a_block_with_what_follows_it(workspace: Workspace) -> None:
    sop = known(workspace).agents["ac-writer"].sop_content
    set_columns(workspace, "ac-writer", sop_content=sop + "- One line more.\n")

    assert differing(exported(workspace)) == ["+      - One line more."]


def test_an_authority_that_a_person_granted_is_on_the_list_that_is_in_force(workspace: Workspace) -> None:
    workspace.store.write_now(
        lambda tx: authority.grant(tx, "technical", "external_service", "autonomous", by="ada", reason="record")
    )

    text = exported(workspace)

    line = next(line for line in SHIPPED.splitlines() if "key: external_service" in line)
    assert sorted(differing(text)) == [f"+{line}", f"-{line}"]
    own = means(text).agents["technical"].authority
    assert own is not None
    assert "external_service" in [kind.key for kind in own.autonomous]


def test_a_grant_above_what_may_be_autonomous_stays_on_the_list_that_a_file_may_have(workspace: Workspace) -> None:
    workspace.store.write_now(
        lambda tx: authority.grant(tx, "technical", "architecture", "autonomous", by="ada", reason="record")
    )

    assert exported(workspace) == SHIPPED


def test_an_agent_of_an_overlay_is_in_the_export(workspace: Workspace) -> None:
    (workspace.folder / OVERLAYS).mkdir()
    entry = "version: 1\nagents:\n  - role: cobol-reader\n    display_name: COBOL\n    tier: 3\n    type: specialist\n"
    entry += "    description: Reads it.\n    capabilities: [cobol]\n    sop: Read.\n"
    (workspace.folder / OVERLAYS / "team.yaml").write_text(entry, encoding="utf-8")
    workspace.update_registry()

    text = exported(workspace)

    assert text.startswith(SHIPPED.rstrip("\n"))
    assert means(text).agents["cobol-reader"].sop == "Read."


def test_an_agent_that_is_inactive_is_not(workspace: Workspace) -> None:
    set_columns(
        workspace, next(r for r, a in known(workspace).agents.items() if a.agent_type == "specialist"), is_active=False
    )

    text = exported(workspace)

    assert len(means(text).agents) == len(DATA["agents"]) - 1
    assert all(line.startswith("-") for line in differing(text))


def test_without_a_template_it_is_written_anew_and_says_the_same(workspace: Workspace) -> None:
    text = exported(workspace, None)

    assert "sop: |\n" in text
    assert changes(known(workspace), means(text)).is_empty


def test_a_template_with_other_defaults_takes_over_ours(workspace: Workspace) -> None:
    other = SHIPPED.replace("revision_rounds: 3 ", "revision_rounds: 7 ").replace("coverage: 90", "coverage: 50")

    text = exported(workspace, other)

    assert text == SHIPPED


@pytest.mark.parametrize(
    ("template", "told"),
    [("version: 2\n", "agents.yaml:1: version: is 2"), ("a: [\n", "is not YAML"), ("# Read me\n", "is no registry")],
)
def test_a_template_that_is_broken_is_no_template(workspace: Workspace, template: str, told: str) -> None:
    with pytest.raises(CatalogError, match=told):
        exported(workspace, template)


def test_lists_that_were_wrapped_by_hand_stay_wrapped(workspace: Workspace) -> None:
    set_columns(workspace, "technical", description="Decides how things are built; nothing else.")

    changed = differing(exported(workspace))

    assert changed[1:] == ["+    description: Decides how things are built; nothing else."]


def test_texts_that_yaml_would_misread_are_quoted(workspace: Workspace) -> None:
    texts = (
        "null",
        "1e5",
        "12:30",
        "- a",
        "x: y",
        "#no",
        "tab\there",
        " lead",
        "trail ",
        'it\'s "x"',
        "ünï",
        "~",
        "yes",
    )
    given_to = dict(zip(known(workspace).agents, texts, strict=False))
    for role, text in given_to.items():
        set_columns(workspace, role, display_name=text)

    found = means(exported(workspace)).agents

    assert {role: found[role].display_name for role in given_to} == given_to


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn")), min_size=1, max_size=30)
prose = st.lists(st.text(alphabet="ab: #-'\"\t{[&*!|>%@`é", max_size=20), min_size=1, max_size=6).map("\n".join)
slugs = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,12}\Z")
kinds = st.builds(
    lambda key, title, impact, ceiling: {
        "key": key,
        "title": title,
        "impact": impact,
        **({"ceiling": "escalate", "reversible": False} if ceiling else {}),
    },
    key=st.from_regex(r"\A[a-z][a-z0-9_]{0,12}\Z"),
    title=words.filter(str.strip),
    impact=st.integers(1, 8),
    ceiling=st.booleans(),
)


@st.composite
def registries(draw: st.DrawFn) -> str:
    """The shipped registry with an edited agent, an edited authority and an agent more, as another writes YAML."""
    agents = [{**entry, "sop": "Do it.\n"} for entry in DATA["agents"] if entry["type"] != "specialist"]
    edited = draw(st.sampled_from([e for e in agents if e["type"] == "sub-agent" and "runtime" not in e]))
    edited |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "display_name": words,
                "description": words.filter(str.strip),
                "runtime": st.sampled_from(["human", "offline", "anthropic"]),
                "fallback": st.sampled_from(["human", "offline"]),
                "model": words.filter(str.strip),
                "limits": st.dictionaries(
                    st.sampled_from(["seconds", "turns", "files", "bytes", "output_tokens"]), st.integers(1, 1_000)
                ),
                "tools": st.lists(st.sampled_from(["read", "write", "run"]), max_size=3),
                "skill": st.booleans(),
                "outward": st.booleans(),
                "sop": prose.filter(bool),
            },
        )
    )
    ux = next(e for e in agents if e["role"] == "ux")
    listed = draw(st.lists(kinds, max_size=6, unique_by=lambda kind: kind["key"]))
    first = [k for k in listed if "ceiling" not in k][: draw(st.integers(0, 6))]
    ux["authority"] = {"autonomous": first, "escalate": [k for k in listed if k not in first]}
    ux["context"] = draw(st.lists(st.sampled_from(["README*", "docs/**", "*.md"]), unique=True))
    more = {"role": "z-" + draw(slugs), "display_name": draw(words), "tier": 3, "type": "specialist"}
    more |= {
        "description": "x",
        "capabilities": draw(st.lists(slugs, min_size=1, max_size=4)),
        "sop": draw(prose.filter(bool)),
    }
    data = {**DATA, "agents": [*agents, more]}
    return str(yaml.dump(data, Dumper=yaml.CSafeDumper, sort_keys=draw(st.booleans()), allow_unicode=True))


@settings(max_examples=25)
@given(registries(), st.booleans())
def test_what_is_exported_imports_back_to_the_same_rows(text: str, with_template: bool) -> None:
    try:
        catalog = means(text)
    except CatalogError:
        reject()
    with tempfile.TemporaryDirectory() as folder, fresh_store(Path(folder)) as store:
        store.write_now(lambda tx: import_catalog(tx, catalog))
        found = store.read_now(read_known)

        back = means(export(found, found.sections, SMALL.encode() if with_template else None))

        assert changes(found, back).is_empty
        assert {r: file_values(a) for r, a in back.agents.items()} == {
            r: file_values(a) for r, a in catalog.agents.items()
        }
        assert back.sections() == catalog.sections()
