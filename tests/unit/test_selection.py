"""Selection: which agents a project gets, in which order, and the reason that a person reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.projects.stack.facts import Fact, Stack
from core.projects.stack.scan import scan
from core.projects.stack.vocabulary import KEYS, WORDS
from core.registry.catalog import CatalogError, default_path, load
from core.registry.selection import Choice, select
from core.store.rows import AgentRow
from tests.unit.agent_rows import agent_row
from tests.unit.git_project import commit


def agent(role: str, **rule: bool | tuple[str, ...]) -> AgentRow:
    return agent_row(role, selection=rule)


def chosen(stack: Stack, *agents: AgentRow) -> list[tuple[str, str]]:
    return [(choice.role, choice.reason) for choice in select(agents, stack)]


PYTHON = Fact("language", "python", "214 .py files")
DJANGO = Fact("framework", "django", "`backend/pyproject.toml` depends on django 5.2", "backend")
POSTGRES = Fact("database", "postgresql", "`compose.yaml` runs postgres:17")
SHOP = Stack.of([PYTHON, DJANGO, POSTGRES])


def test_an_agent_comes_with_any_one_of_its_words() -> None:
    both = agent("a", languages=("go", "python"), frameworks=("flask",))
    assert chosen(SHOP, both, agent("b", languages=("go",)), agent("c", project_types=("web",))) == [
        ("a", "language python: 214 .py files")
    ]


def test_an_agent_without_a_rule_is_not_chosen() -> None:
    assert chosen(SHOP, agent("a")) == []


def test_a_universal_agent_comes_to_every_project() -> None:
    assert select([agent("a", always=True)], Stack()) == (Choice("a", "always"),)


def test_the_order_is_universal_then_by_category_then_by_file() -> None:
    agents = [
        agent("db", databases=("postgresql",)),
        agent("django", frameworks=("django",)),
        agent("lang-2", languages=("python",)),
        agent("all", always=True),
        agent("lang-1", languages=("python",), databases=("postgresql",)),
    ]
    assert [role for role, _ in chosen(SHOP, *agents)] == ["all", "lang-2", "lang-1", "django", "db"]


def test_two_words_bring_one_piece_of_evidence_each() -> None:
    found = chosen(SHOP, agent("a", frameworks=("django",), databases=("postgresql",), languages=("python",)))
    assert found == [
        ("a", "language python: 214 .py files; framework django: `backend/pyproject.toml` depends on django 5.2")
    ]


def test_one_word_brings_its_two_best_pieces_with_their_packages() -> None:
    facts = [Fact("language", "go", f"{n} .go files", package) for n, package in ((5, ""), (9, "b"), (1, "c"))]
    assert chosen(Stack.of(facts), agent("a", languages=("go",))) == [
        ("a", "language go: 5 .go files, 9 .go files in `b`")
    ]


@pytest.mark.parametrize("category", KEYS)
def test_every_word_of_the_vocabulary_can_bring_an_agent(category: str) -> None:
    for name, key in KEYS.items():
        for word in WORDS[name] if name == category else ():
            found = select([agent("a", **{key: (word,)})], Stack.of([Fact(name, word, "a file")]))
            assert found == (Choice("a", f"{name.replace('_', ' ')} {word}: a file"),)


async def test_a_real_project_gets_its_agents_with_reasons(tmp_path: Path) -> None:
    commit(
        tmp_path,
        {
            "backend/pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5.2"]\n',
            "backend/manage.py": "",
            "web/package.json": '{"dependencies": {"react": "19", "react-dom": "19"}}',
            "README.md": "flask",
        },
    )
    agents = [
        agent("flask-specialist", frameworks=("flask",)),
        agent("django-specialist", frameworks=("django",)),
        agent("react-specialist", frameworks=("react",)),
        agent("ac-writer", always=True),
        agent("frontend", project_types=("web",)),
    ]

    assert chosen(await scan(tmp_path), *agents) == [
        ("ac-writer", "always"),
        ("django-specialist", "framework django: `backend/pyproject.toml` depends on django >=5.2"),
        ("react-specialist", "framework react: `web/package.json` depends on react 19"),
        (
            "frontend",
            "project type web: `backend/pyproject.toml` depends on django >=5.2, "
            "`web/package.json` depends on react 19",
        ),
    ]


SHIPPED = default_path().read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            "{frameworks: [djnago]}",
            "select.frameworks[0]: 'djnago' is no framework that apm recognises; did you mean 'django'",
        ),
        (
            "{languages: [python, django]}",
            "select.languages[1]: 'django' is no language that apm recognises; it belongs under frameworks",
        ),
        ("{project_types: [website]}", "'website' is no project type that apm recognises"),
        ("{}", "select: names nothing, so no project gets the agent"),
    ],
)
def test_a_word_that_no_stack_can_hold_is_told_with_its_line(tmp_path: Path, rule: str, told: str) -> None:
    at = SHIPPED.index("\n", SHIPPED.index("  - role: context-delivery"))
    text = SHIPPED[:at] + f"\n    select: {rule}" + SHIPPED[at:].replace("\n    select: {always: true}", "", 1)
    path = tmp_path / "agents.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CatalogError) as caught:
        load(path)

    line = SHIPPED.count("\n", 0, at) + 2
    assert f"agents.yaml:{line}: " in str(caught.value)
    assert told in str(caught.value)
