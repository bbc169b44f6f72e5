"""The diff of an import: what it names, what it leaves out, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.governance import authority
from core.governance.team import import_catalog
from core.registry.catalog import Catalog, default_path, load_sources
from core.registry.changes import Changes, Known, changes
from core.registry.differences import MOST_DIFF_LINES, sop_diff, to_json, to_lines
from core.registry.importing import read_known
from core.registry.sources import Sources
from core.store.store import Store
from tests.fresh import fresh_store

SHIPPED = default_path().read_text(encoding="utf-8")
KIND = "  - {key: caching,"


def catalog_of(text: str) -> Catalog:
    return load_sources(Sources(Path("agents.yaml"), text.encode()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path) as opened:
        opened.write_now(lambda tx: import_catalog(tx, catalog_of(SHIPPED)))
        yield opened


def found(store: Store, text: str) -> Changes:
    return changes(store.read_now(read_known), catalog_of(text))


def in_entry(role: str, old: str, new: str) -> str:
    at = SHIPPED.index(old, SHIPPED.index(f"- role: {role}\n"))
    return SHIPPED[:at] + new + SHIPPED[at + len(old) :]


def without_a_specialist() -> tuple[str, str]:
    entry = re.search(r"^  - role: ([\w-]+)\n(?:    .*\n|\n)*?    type: specialist\n(?:    .*\n|\n)*", SHIPPED, re.M)
    assert entry is not None
    return entry[1], SHIPPED.replace(entry[0], "", 1)


def test_the_same_team_has_no_changes(store: Store) -> None:
    same = found(store, SHIPPED)

    assert same.is_empty
    assert to_lines(same) == []


def test_the_first_import_adds_everybody(store: Store) -> None:
    first = changes(Known(), catalog_of(SHIPPED))

    assert [a.what for a in first.agents] == ["added"] * len(catalog_of(SHIPPED).agents)
    assert {a.old for a in first.authority} == {None}


def test_a_key_is_told_with_its_old_and_new_value(store: Store) -> None:
    edited = found(store, in_entry("ac-writer", "tier: 3\n", "tier: 3\n    runtime: human\n    model: some-model\n"))

    assert to_lines(edited) == [
        "~ ac-writer",
        "    runtime: auto → human",
        "    model: nothing → some-model",
    ]
    assert to_json(edited)["changed"] == [
        {
            "role": "ac-writer",
            "keys": {"runtime": {"old": "auto", "new": "human"}, "model": {"old": None, "new": "some-model"}},
        }
    ]


def test_a_procedure_is_told_as_a_diff(store: Store) -> None:
    edited = found(store, in_entry("ac-writer", "## Never\n", "## Never ever\n"))

    diff = to_json(edited)["changed"][0]["sop"]
    assert [line for line in diff if line[0] in "+-"] == ["-## Never", "+## Never ever"]
    assert "      +## Never ever" in to_lines(edited)


def test_a_diff_is_bounded() -> None:
    lines = list(sop_diff("\n".join(map(str, range(500))), "\n".join(map(str, range(1_000, 1_500)))))

    assert len(lines) == MOST_DIFF_LINES + 1
    assert lines[-1] == "…"


def test_who_leaves_and_who_comes_back(store: Store) -> None:
    role, text = without_a_specialist()
    gone = found(store, text)
    store.write_now(lambda tx: import_catalog(tx, catalog_of(text)))

    assert to_lines(gone) == [f"- {role} (no file names it any more; it becomes inactive and keeps its history)"]
    assert to_json(found(store, SHIPPED))["back"] == [role]


def test_a_figure_of_a_gate_is_told_by_its_place(store: Store) -> None:
    edited = found(store, SHIPPED.replace("coverage: 90", "coverage: 80"))

    assert to_lines(edited) == ["~ gates.thresholds.R1.coverage: 90.0 → 80.0"]


def test_a_rule_is_told_by_its_name(store: Store) -> None:
    edited = found(store, SHIPPED.replace("words: [performance]", "words: [performance, speed]"))

    assert [s.place for s in edited.sections] == ["conflicts.rules.technical-wins-performance.words"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (KIND, "  - {key: caches,", {"- technical caching", "+ technical caches"}),
        ("impact: 4}", "impact: 3}", {"~ technical error_handling", "    impact: 4 → 3"}),
    ],
)
def test_kinds_that_come_go_and_change(store: Store, old: str, new: str, told: set[str]) -> None:
    assert told <= set(to_lines(found(store, in_entry("technical", old, new))))


def escalating() -> str:
    """The shipped file with caching on the other list of technical."""
    line = next(line for line in SHIPPED.splitlines(keepends=True) if KIND in line)
    text = SHIPPED.replace(line, "", 1)
    at = text.index("      escalate:\n", text.index("- role: technical\n")) + len("      escalate:\n")
    return text[:at] + line + text[at:]


def test_an_authority_that_the_file_changes_is_told(store: Store) -> None:
    edited = found(store, escalating())

    assert to_lines(edited) == ["~ technical caching: autonomous → escalate (as the file says now)"]


def test_a_grant_that_the_file_contradicts_is_told_as_a_question(store: Store) -> None:
    store.write_now(lambda tx: authority.grant(tx, "technical", "caching", "autonomous", by="ada", reason="20 of 20"))

    edited = found(store, escalating())

    assert to_lines(edited) == [
        "? technical caching: ada made it autonomous, the files now say escalate; this is asked"
    ]
    told: list[Any] = to_json(edited)["contradictions"]
    assert [(t["kind"], t["granted"], t["by"], t["says"]) for t in told] == [
        ("caching", "autonomous", "ada", "escalate")
    ]


def test_what_is_shown_is_what_is_applied(store: Store) -> None:
    text = without_a_specialist()[1].replace("coverage: 90", "coverage: 80").replace("impact: 4}", "impact: 3}", 1)
    shown = found(store, text)

    applied = store.write_now(lambda tx: import_catalog(tx, catalog_of(text)))

    assert applied.changes == shown
    assert found(store, text).is_empty
