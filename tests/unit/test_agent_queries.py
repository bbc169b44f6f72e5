"""Which agents a query means, and what the command line and the tier tree make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registry.queries import known_values, narrowed, parse_query
from tests.unit.agent_rows import agent_row

TEAM = (
    agent_row("definition-orch", agent_type="orchestrator", tier=2, phase="D1", capabilities=["delegation"]),
    agent_row("ac-writer", agent_type="sub-agent", phase="D1", capabilities=["requirements"], description="Criteria."),
    agent_row("python-tester", phase="I1", capabilities=["testing"], technologies=["python", "pytest"]),
    agent_row(
        "django-tester", phase="I1", capabilities=["testing"], technologies=["django", "python"], runtime="human"
    ),
    agent_row("react-tester", phase="I1", capabilities=["testing"], technologies=["react", "javascript"]),
    agent_row("java-tester", phase="I1", capabilities=["testing"], technologies=["java", "junit"]),
)


def found(text: str) -> list[str]:
    return [a.role for a in narrowed(TEAM, parse_query(text))]


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("tech:django", ["django-tester"]),
        ("technology:Django", ["django-tester"]),
        ("tech:django,react", ["django-tester", "react-tester"]),
        ("tech:django tech:react", ["django-tester", "react-tester"]),
        ("phase:D1 type:sub-agent", ["ac-writer"]),
        ("tier:2", ["definition-orch"]),
        ("cap:testing runtime:human", ["django-tester"]),
        ("criteria", ["ac-writer"]),
        ("tester !react !java", ["python-tester", "django-tester"]),
        ("cap:testing pytest", ["python-tester"]),
        ("tech:cobol", []),
        ("!", [a.role for a in TEAM]),
        ("tech:", [a.role for a in TEAM]),
        ("", [a.role for a in TEAM]),
    ],
)
def test_a_query_means_these_agents(text: str, roles: list[str]) -> None:
    assert found(text) == roles


def test_a_value_that_somebody_has_is_meant_exactly_and_another_as_a_beginning() -> None:
    assert found("tech:java") == ["java-tester"]
    assert found("tech:jav") == ["react-tester", "java-tester"]


def test_a_name_that_is_no_facet_is_a_word() -> None:
    assert parse_query("http://x author:me").words == ("http://x", "author:me")


def test_words_may_stand_in_what_the_caller_adds() -> None:
    asked = parse_query("asking")
    assert [a.role for a in narrowed(TEAM, asked, lambda a: "asking" if a.role == "ac-writer" else "")] == ["ac-writer"]


def test_values_are_known_once_and_in_lower_case() -> None:
    assert known_values(TEAM, "phase") == ("d1", "i1")


@given(st.text())
def test_any_text_is_a_query_and_only_ever_narrows(text: str) -> None:
    assert set(found(text)) <= {a.role for a in TEAM}


@given(st.text(alphabet="abcdjngo:! ", max_size=20), st.sampled_from(["tester", "tech:django", "phase:i1", "!react"]))
def test_one_more_word_never_finds_more(text: str, more: str) -> None:
    assert set(found(f"{text} {more}")) <= set(found(text)) or ":" in text
