"""A team's own agents: what `agents.d/*.yaml` adds and overrides, where each comes from, and whose mistake it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.registry.catalog import CatalogError, default_path, load, load_sources
from core.registry.sources import MAX_BYTES, MAX_OVERLAYS, Sources

SHIPPED = default_path().read_text(encoding="utf-8")

OWN: dict[str, Any] = {
    "role": "cobol-reader",
    "display_name": "COBOL Reader",
    "tier": 3,
    "type": "specialist",
    "description": "Reads what nobody else can.",
    "capabilities": ["cobol"],
    "sop": "Read it.\n",
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "agents.yaml"
    path.write_text(SHIPPED, encoding="utf-8")
    (tmp_path / "agents.d").mkdir()
    return path


def lay(base: Path, name: str, *entries: dict[str, Any]) -> Path:
    return write(base, name, yaml.safe_dump({"version": 1, "agents": list(entries)}, sort_keys=False))


def write(base: Path, name: str, text: str) -> Path:
    path = base.parent / "agents.d" / name
    path.write_text(text, encoding="utf-8")
    return path


def complaint(base: Path) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load(base)
    return str(caught.value).splitlines()


def test_a_role_that_is_new_joins_the_team_and_says_where_it_comes_from(base: Path) -> None:
    lay(base, "team.yaml", OWN)

    catalog = load(base)

    assert catalog.agents["cobol-reader"].description == OWN["description"]
    assert str(catalog.origins["cobol-reader"]) == "agents.d/team.yaml"
    assert str(catalog.origins["ac-writer"]) == "agents.yaml"


def test_a_known_role_takes_the_keys_that_are_given_and_keeps_the_rest(base: Path) -> None:
    before = load(base).agents["ac-writer"]
    lay(base, "team.yaml", {"role": "ac-writer", "runtime": "human", "sop": "Ask Ada.\n"})

    catalog = load(base)

    after = catalog.agents["ac-writer"]
    assert (after.runtime, after.sop) == ("human", "Ask Ada.\n")
    assert (after.description, after.capabilities, after.seconds) == (
        *(before.description, before.capabilities, before.seconds),
    )
    assert str(catalog.origins["ac-writer"]) == "agents.yaml + agents.d/team.yaml: runtime, sop"


def test_lists_and_mappings_are_replaced_whole(base: Path) -> None:
    kind = {"key": "colour", "title": "Which colour", "impact": 1}
    own = {"role": "ux", "context": ["a/*"], "authority": {"autonomous": [kind], "escalate": []}}
    lay(base, "team.yaml", own)

    ux = load(base).agents["ux"]

    assert ux.context == ("a/*",)
    assert ux.authority is not None
    assert ([k.key for k in ux.authority.autonomous], ux.authority.escalate) == (["colour"], ())


def test_two_overlays_may_change_different_keys_of_one_role_in_either_order(base: Path) -> None:
    lay(base, "a.yaml", {"role": "cobol-reader", "runtime": "human"})
    lay(base, "b.yaml", OWN)

    catalog = load(base)

    assert catalog.agents["cobol-reader"].runtime == "human"
    assert str(catalog.origins["cobol-reader"]) == "agents.d/b.yaml + agents.d/a.yaml: runtime"


def test_two_overlays_that_set_the_same_key_are_both_named(base: Path) -> None:
    lay(base, "a.yaml", {"role": "ac-writer", "runtime": "human", "skill": True})
    lay(base, "b.yaml", {"role": "ac-writer", "skill": False, "runtime": "human"})

    assert complaint(base) == [
        "agents.d/b.yaml:4: agents[ac-writer].skill: is set in agents.d/a.yaml:5 too (and so is runtime);"
        " let one file say it"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "agents.d/team.yaml:1: is empty; an overlay holds `version: 1` and `agents:`"),
        ("- a\n", "agents.d/team.yaml:1: is not a mapping; an overlay"),
        ("version: 2\nagents: []\n", "agents.d/team.yaml:1: version: is 2; it must be 1"),
        ("agents: []\n", "agents.d/team.yaml:1: version: is missing; it must be 1"),
        ("version: 1\nagents: {}\n", "agents.d/team.yaml:2: agents: must be a list"),
        ("version: 1\nagent: []\n", "agents.d/team.yaml:2: agent: is not a key of an overlay; did you mean 'agents'?"),
        (
            "version: 1\nagents: []\ngates: {}\n",
            "agents.d/team.yaml:3: gates: is not a key of an overlay; it stands in",
        ),
        ("version: 1\nagents:\n  - runtime: human\n", "agents.d/team.yaml:3: agents[0]: names no role"),
        (
            "version: 1\nagents:\n  - role: ux\n  - role: ux\n",
            "agents.d/team.yaml:4: agents[ux].role: 'ux' stands twice",
        ),
        (
            "version: 1\nagents:\n  - role: ac-writer\n    runtim: human\n",
            "agents.d/team.yaml:4: agents[ac-writer].runtim: is not a key known here; did you mean 'runtime'?",
        ),
        (
            "version: 1\nagents:\n  - role: ac-writer\n    runtime: antropic\n",
            "agents.d/team.yaml:4: agents[ac-writer].runtime: is 'antropic'; it must be one of auto,",
        ),
        (
            "version: 1\nagents:\n  - role: ac-writter\n    runtime: human\n",
            "agents.d/team.yaml:3: agents[ac-writter].role: 'ac-writter' is a new role, and its entry has no display_n",
        ),
        ("version: 1\nagents: [\n", "agents.d/team.yaml:3: is not YAML"),
        (
            "version: 1\nagents:\n  - role: test-runner\n    runtime: human\n",
            "agents.d/team.yaml:4: agents[test-runner].runtime: is human; test-runner can only be tool",
        ),
    ],
)
def test_a_mistake_is_told_with_the_overlay_and_its_line(base: Path, text: str, told: str) -> None:
    write(base, "team.yaml", text)

    assert [line for line in complaint(base) if line.startswith(told)]


def test_a_misspelt_role_is_answered_with_the_nearest(base: Path) -> None:
    lay(base, "team.yaml", {"role": "ac-writter", "runtime": "human"})

    assert complaint(base)[0].endswith("did you mean 'ac-writer'?")


def test_a_mistake_of_the_base_is_told_with_the_line_of_the_base(base: Path) -> None:
    base.write_text(SHIPPED.replace("revision_rounds: 3", "revision_rounds: many"), encoding="utf-8")
    lay(base, "team.yaml", {"role": "ac-writer", "runtime": "antropic"})
    line = SHIPPED[: SHIPPED.index("revision_rounds: 3")].count("\n") + 1

    found = complaint(base)

    assert found[0].startswith(f"agents.yaml:{line}: defaults.limits.revision_rounds: is 'many'")
    assert found[1].startswith("agents.d/team.yaml:4: agents[ac-writer].runtime: is 'antropic'")


@pytest.mark.parametrize("name", [".team.yaml", "#team.yaml", "team.yaml~", "team.yaml.bak", "team~.yaml", "notes.md"])
def test_what_editors_leave_beside_an_overlay_is_not_read(base: Path, name: str) -> None:
    write(base, name, "no overlay")

    assert "cobol-reader" not in load(base).agents


def test_links_and_folders_are_not_read(base: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text("no overlay", encoding="utf-8")
    (base.parent / "agents.d" / "linked.yaml").symlink_to(elsewhere)
    (base.parent / "agents.d" / "folder.yaml").mkdir()

    assert len(load(base).agents) == len(load(default_path()).agents)


def test_a_folder_that_is_a_link_is_not_read(base: Path, tmp_path: Path) -> None:
    lay(base, "team.yaml", OWN)
    (base.parent / "agents.d").rename(tmp_path / "moved")
    (base.parent / "agents.d").symlink_to(tmp_path / "moved")

    assert "cobol-reader" not in load(base).agents


def test_more_overlays_than_anybody_keeps_are_refused(base: Path) -> None:
    for n in range(MAX_OVERLAYS + 1):
        write(base, f"{n}.yaml", "version: 1\nagents: []\n")

    assert complaint(base) == [
        f"agents.d:1: holds {MAX_OVERLAYS + 1} overlays; 64 are read at most, so put some together"
    ]


def test_overlays_that_are_too_large_together_are_refused(base: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        write(base, name, "# " + "x" * (MAX_BYTES // 2))

    assert complaint(base) == ["agents.d:1: holds more than 4 MB; nobody edits that"]


def test_an_overlay_that_may_not_be_read_is_told_by_its_path(base: Path) -> None:
    path = lay(base, "team.yaml", OWN)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")

    assert complaint(base)[0].startswith("team.yaml:1: cannot be read: permission denied")


def test_the_digest_covers_every_file_and_its_name(base: Path) -> None:
    seen = {load(base).digest}
    path = lay(base, "team.yaml", OWN)
    seen.add(load(base).digest)
    path.rename(path.with_name("other.yaml"))
    seen.add(load(base).digest)

    assert len(seen) == 3


SMALL = yaml.dump(
    {**(whole := yaml.load(SHIPPED, yaml.CSafeLoader)), "agents": [e for e in whole["agents"] if e["tier"] < 3]}
)
"""The tiers that a phase needs, which is no team: what is wrong with an overlay is told among other things."""

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab: -#", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*OWN, "x"]), inner, max_size=4),
    max_leaves=12,
)
overlays = st.fixed_dictionaries(
    {}, optional={"version": st.just(1) | anything, "agents": st.lists(anything, max_size=4) | anything, "x": anything}
)


@settings(max_examples=150)
@given(st.lists(overlays | anything, min_size=1, max_size=3))
def test_an_overlay_of_any_shape_is_refused_in_words(contents: list[Any]) -> None:
    laid = tuple((f"agents.d/{n}.yaml", yaml.safe_dump(content).encode()) for n, content in enumerate(contents))

    with pytest.raises(CatalogError, match=r"agents\.yaml:\d+: agents: no agent has the role|agents\.d/"):
        load_sources(Sources(Path("agents.yaml"), SMALL.encode(), laid))
