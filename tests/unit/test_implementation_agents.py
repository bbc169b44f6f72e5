from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agents import feature_flags as feature_flags_module
from core.agents.bench import Bench
from core.agents.branch import is_doc_file, is_test_file
from core.agents.feature_flags import asks_for_flag, flags_in
from core.agents.implementation import build_bundle, doc_toucher, feature_flags, migration_author, pattern_applier
from core.agents.patterns import words_of
from core.agents.schema_changes import is_migration, model_fields
from core.contract import AgentRequest, AgentResponse, Json, Status, canonical_json
from tests.unit.git_project import commit, git, project

TECH: Json = {"package": "shop", "layout": "flat", "test_dirs": ["tests"], "docs": ["README.md"]}


@dataclass(frozen=True)
class Desk:
    """A branch that starts at `base`, and how its agents are asked."""

    repo: Path
    base: str

    async def ask(
        self, agent: Callable[[AgentRequest, Bench], Awaitable[AgentResponse]], **context: object
    ) -> AgentResponse:
        return await agent(self.request(**context), self.bench)

    def request(self, **context: Any) -> AgentRequest:
        tech = TECH | context.pop("tech", {})
        shown = {"project": project(self.repo, self.base, tech=tech), **context}
        return AgentRequest("implementation-orch", {}, shown, "build.bundle")

    @property
    def bench(self) -> Bench:
        return Bench(self.repo, self.repo.parent, self.repo.parent)


@pytest.fixture
def start(tmp_path: Path) -> Callable[[dict[str, str]], Desk]:
    return lambda files: Desk(tmp_path / "repo", commit(tmp_path / "repo", {"README.md": "# Shop\n"} | files))


Start = Callable[[dict[str, str]], Desk]


REPOSITORY = {
    "shop/__init__.py": "",
    "shop/invoice.py": """
        def export_invoice(number: int) -> str:
            '''One invoice as text.'''
            return str(number)

        def total(lines: list[int]) -> int:
            '''The sum.'''
            return sum(lines)
        """,
    "shop/cart.py": "def add(cart, item):\n    cart.append(item)\n",
    "tests/test_invoice.py": "def test_export(): ...\ndef test_total(): ...\ndef test_none(): ...\n",
    "tests/test_cart.py": "def test_add(): ...\n",
}


class TestPatternApplier:
    async def test_it_finds_what_the_tasks_words_point_to(self, start: Start) -> None:
        desk = start(REPOSITORY)
        task = {"id": "T1", "title": "Export several invoices at once", "criteria": ["AC1"]}
        criteria = [
            {"id": "AC1", "text": "An exported invoice has a total"},
            {"id": "AC2", "text": "The cart is empty"},
        ]
        response = await desk.ask(pattern_applier, task=task, criteria=criteria)
        assert response.status is Status.SUCCESS
        assert response.output_artifact["files"] == ["shop/invoice.py"]
        assert response.output_artifact["test_files"][0] == "tests/test_invoice.py"
        assert "invoic" in response.output_artifact["because"]["shop/invoice.py"]

    async def test_it_measures_the_habits_with_an_example(self, start: Start) -> None:
        response = await start(REPOSITORY).ask(pattern_applier, task={"id": "T1", "title": "Export"})
        habits = {row["name"]: row for row in response.output_artifact["patterns"]}
        assert habits["functions typed: 66 % of 3"]["example"] == "shop/invoice.py:1"
        assert habits["public functions with a docstring: 66 % of 3"]["where"] == "shop"
        assert habits["tests written as functions: 100 % of 4"]["where"] == "tests"
        assert habits["test files: 2, named test_*"]["example"] == "tests/test_cart.py:1"
        assert habits["documents: 1"]["example"] == "README.md:1"

    async def test_a_repository_without_code_has_no_habits_of_code(self, start: Start) -> None:
        response = await start({}).ask(pattern_applier, task={"id": "T1", "title": "Export"})
        assert response.status is Status.SUCCESS
        assert response.output_artifact["files"] == []
        assert [row["name"] for row in response.output_artifact["patterns"]] == ["documents: 1"]

    def test_words_are_compared_without_their_endings(self) -> None:
        assert words_of("ExportedInvoices") == words_of("export invoice") == {"export", "invoic"}


MODELS = """
    from django.db import models

    class Article(models.Model):
        title = models.CharField(max_length=100)
    """


class TestMigrationAuthor:
    async def test_a_changed_model_without_a_migration_is_asked_for(self, start: Start) -> None:
        desk = start({"shop/models.py": MODELS})
        commit(desk.repo, {"shop/models.py": MODELS.replace("100", "200") + "    body = models.TextField()\n"})
        response = await desk.ask(migration_author, tech={"migrations": ["shop/migrations"]})
        assert response.status is Status.BLOCKED
        assert response.output_artifact["schema_changed"] is True
        assert response.missing[0].startswith("a migration for shop/models.py:4 Article.title changed")
        assert "shop/migrations" in response.metadata["suggestion"]

    async def test_with_a_new_migration_it_is_content(self, start: Start) -> None:
        desk = start({"shop/models.py": MODELS, "shop/migrations/__init__.py": ""})
        changed = {"shop/models.py": MODELS.replace("100", "200"), "shop/migrations/0002_title.py": "x = 1\n"}
        commit(desk.repo, changed)
        response = await desk.ask(migration_author)
        assert response.status is Status.SUCCESS
        assert response.output_artifact["created"] == ["shop/migrations/0002_title.py"]

    async def test_a_persons_reason_stands_in_and_is_shown(self, start: Start) -> None:
        desk = start({"shop/models.py": MODELS})
        commit(desk.repo, {"shop/models.py": MODELS.replace("100", "200")})
        response = await desk.ask(migration_author, answers={"migrations": "the column is not used yet"})
        assert response.status is Status.SUCCESS
        assert response.output_artifact["schema_changed"] is False
        assert response.output_artifact["waived"] == "human: the column is not used yet"

    async def test_code_and_test_models_leave_the_schema_alone(self, start: Start) -> None:
        desk = start({"shop/models.py": MODELS})
        method = MODELS + "\n    def shown(self):\n        return self.title\n"
        commit(
            desk.repo, {"shop/models.py": method, "tests/models.py": MODELS, "shop/forms.py": "title = CharField()\n"}
        )
        response = await desk.ask(migration_author)
        assert (response.status, response.output_artifact["schema_changed"]) == (Status.SUCCESS, False)

    async def test_ddl_in_sql_files_counts(self, start: Start) -> None:
        desk = start({"db/schema.sql": "CREATE TABLE a (id int);\n"})
        commit(desk.repo, {"db/schema.sql": "CREATE TABLE a (id int);\n-- more\nALTER TABLE a ADD COLUMN b int;\n"})
        response = await desk.ask(migration_author)
        assert response.missing == ["a migration for db/schema.sql:3 ALTER TABLE a ADD COLUMN b int;"]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("from peewee import *\nclass A(Model):\n    t = CharField()\n    n = 3", ["A.t"]),
        ("import peewee as pw\nclass A(pw.Model):\n    t = pw.ForeignKeyField(B)", ["A.t"]),
        (
            "from sqlalchemy import orm\nclass A(Base):\n    t: orm.Mapped[str]\n    u = mapped_column()",
            ["A.t", "A.u"],
        ),
        ("from app import db\nclass A(db.Model):\n    t = db.Column(db.String)", ["A.t"]),
        ("from django import forms\nclass A(forms.Form):\n    t = forms.CharField()", []),
        ("from pydantic import BaseModel, Field\nclass A(BaseModel):\n    t: str = Field()", []),
        ("def broken(:", []),
    ],
)
def test_fields_of_each_library(source: str, fields: list[str]) -> None:
    assert list(model_fields(source)) == fields


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("shop/migrations/0001_initial.py", True),
        ("alembic/versions/ab12_add.py", True),
        ("db/changes/7.sql", True),
        ("shop/migrations/__init__.py", False),
        ("shop/migrations/README.md", False),
        ("docs/migrations.py", False),
    ],
)
def test_what_is_a_migration(path: str, expected: bool) -> None:
    assert is_migration(path, {"migrations": ["db/changes/"]}) is expected


class TestDocToucher:
    async def test_documentation_in_the_diff_is_enough(self, start: Start) -> None:
        desk = start({"shop/cart.py": ""})
        commit(
            desk.repo,
            {"shop/cart.py": "def add():\n    return 1\n", "docs/cart.md": "# Cart\n", "README.md": "# New\n"},
        )
        response = await desk.ask(doc_toucher)
        assert response.status is Status.SUCCESS
        assert response.output_artifact["files"] == ["README.md", "docs/cart.md"]

    async def test_a_files_name_cannot_command_a_terminal(self, start: Start) -> None:
        desk = start({})
        commit(desk.repo, {"docs/\x1b[31mred\u202e.md": "# Cart\n"})
        response = await desk.ask(doc_toucher)
        assert response.output_artifact["files"] == ["docs/red.md"]

    async def test_without_any_it_names_what_is_undocumented(self, start: Start) -> None:
        desk = start({"shop/cart.py": "def old():\n    return 1\n"})
        code = """
            def old():
                return 1


            class Cart:
                def add(self, item):
                    return item

                def _hidden(self): ...
            """
        commit(desk.repo, {"shop/cart.py": code, "tests/test_cart.py": "def test_x(): ...\n", "CHANGELOG.md": "# 2\n"})
        response = await desk.ask(doc_toucher)
        assert response.status is Status.BLOCKED
        assert response.missing == [
            "documentation of Cart (shop/cart.py:5)",
            "documentation of Cart.add (shop/cart.py:6)",
        ]
        assert "README.md" in response.metadata["suggestion"]

    async def test_docstrings_count_when_every_new_public_name_has_one(self, start: Start) -> None:
        desk = start({"shop/cart.py": "def old():\n    return 1\n"})
        commit(desk.repo, {"shop/cart.py": "def old():\n    return 2\n\n\ndef new():\n    '''Told.'''\n"})
        response = await desk.ask(doc_toucher)
        assert response.status is Status.SUCCESS
        assert response.output_artifact == {"updated": True, "files": ["shop/cart.py"], "by_docstrings": True}

    async def test_a_change_inside_a_function_needs_words_somewhere(self, start: Start) -> None:
        desk = start({"shop/cart.py": "def old():\n    '''Told.'''\n    return 1\n"})
        commit(desk.repo, {"shop/cart.py": "def old():\n    '''Told.'''\n    return 2\n"})
        response = await desk.ask(doc_toucher)
        assert response.missing == ["documentation of old (shop/cart.py:1)"]

    async def test_a_persons_reason_stands_in_and_is_shown(self, start: Start) -> None:
        desk = start({})
        commit(desk.repo, {"shop/cart.py": "def add():\n    return 1\n"})
        response = await desk.ask(doc_toucher, answers={"docs": {"reason": "internal only"}})
        assert response.output_artifact == {
            "updated": True,
            "files": [],
            "by_docstrings": False,
            "waived": "human: internal only",
        }


class TestFeatureFlags:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("The export is behind a feature flag", True),
            ("Ship it behind the export flag", True),
            ("A gradual rollout to customers", True),
            ("It can be turned off by a kill switch", True),
            ("A button toggles dark mode", False),
            ("It works without a feature flag", False),
            ("The flag of the country is shown", False),
        ],
    )
    def test_only_words_that_ask_for_one_make_it_needed(self, text: str, expected: bool) -> None:
        assert asks_for_flag(text) is expected

    @pytest.mark.parametrize(
        ("line", "names"),
        [
            ('if os.environ.get("SHOP_FEATURE_EXPORT"):', ["SHOP_FEATURE_EXPORT"]),
            ("FEATURE_EXPORT = False", ["FEATURE_EXPORT"]),
            ("    EXPORT_ENABLED: bool = False", ["EXPORT_ENABLED"]),
            ('  "feature_export": false,', ["feature_export"]),
            ('if is_enabled("export"):', ["export"]),
            ("if flags['new-export']:", ["new-export"]),
            ("flagged = True", []),
            ("enabled = compute()", []),
        ],
    )
    def test_how_a_flag_looks_in_code(self, line: str, names: list[str]) -> None:
        assert flags_in(line) == names

    async def test_added_are_those_that_the_branch_brings(self, start: Start) -> None:
        desk = start({"shop/settings.py": "FEATURE_OLD = True\n"})
        head = commit(
            desk.repo, {"shop/settings.py": "FEATURE_OLD = False\nFEATURE_EXPORT = False\n", "x.md": "FEATURE_X = 1\n"}
        )
        criteria = [{"id": "AC1", "text": "Behind a flag"}, {"id": "AC2", "text": "Sums"}]
        found = await feature_flags(desk.repo, desk.base, head, criteria)
        assert found == {"needed": True, "added": ["FEATURE_EXPORT"], "asked_by": ["AC1"]}

    async def test_a_file_that_is_data_is_not_read_for_flags(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feature_flags_module, "LARGEST_FILE", "1k")
        desk = start({"shop/settings.py": ""})
        rows = "".join(f"FEATURE_{n} = {n}\n" for n in range(200))
        head = commit(desk.repo, {"rows.ini": rows, "shop/settings.py": "if IsEnabled or Is_Enabled('Export'): pass\n"})
        assert (await feature_flags(desk.repo, desk.base, head, []))["added"] == []
        head = commit(desk.repo, {"shop/more.py": "EXPORT_Enabled = 1\nEXPORT_ENABLED = 1\n"})
        assert (await feature_flags(desk.repo, desk.base, head, []))["added"] == ["EXPORT_ENABLED"]

    @given(st.text(max_size=200))
    def test_any_text_is_judged(self, text: str) -> None:
        asks_for_flag(text)
        flags_in(text)


@pytest.mark.parametrize(
    ("path", "test", "doc"),
    [
        ("tests/test_cart.py", True, False),
        ("Tests/CartTests/Cart.swift", True, False),
        ("Shop.Tests/Tests/Cart.cs", True, False),
        ("src/cart.mts", False, False),
        ("shop/cart_test.py", True, False),
        ("shop/conftest.py", True, False),
        ("qa/anything.yaml", True, False),
        ("src/cart.spec.ts", True, False),
        ("shop/contest.py", False, False),
        ("README", False, True),
        ("docs/cart.txt", False, True),
        ("shop/notes.rst", False, True),
        ("CHANGELOG.md", False, False),
        ("HISTORY.rst", False, False),
    ],
)
def test_kinds_of_files(path: str, test: bool, doc: bool) -> None:
    tech = {"test_dirs": ["qa"]}
    assert (is_test_file(path, tech), is_doc_file(path, tech)) == (test, doc)


class TestTheBundle:
    async def test_it_is_read_from_the_branch_and_a_real_run(self, start: Start) -> None:
        desk = start({"shop/__init__.py": "", ".gitignore": "__pycache__\n"})
        first = commit(desk.repo, {"shop/cart.py": "def total():\n    '''Sum.'''\n    return 3\n"}, "Sum")
        test = "from shop.cart import total\n\n\ndef test_ac1_total():\n    assert total() == 3\n"
        second = commit(desk.repo, {"tests/test_cart.py": test, "README.md": "# Totals\n"}, "Test it\n\nTask: T1")
        stated = {"verifies": {"AC1": ["tests/test_cart.py::test_ac1_total"]}}
        rows = [
            {"id": "T1", "code-implementer": {"commits": [first[:12], "0" * 40], "files": ["claimed.py"], **stated}},
            {"id": "T2", "code-implementer": {"commits": []}},
        ]
        request = desk.request(results={"tasks": rows}, criteria=[{"id": "AC1", "text": "It sums"}])
        bundle, evidence = await build_bundle(request, desk.bench)
        assert (bundle["branch"], bundle["base_commit"], bundle["head_commit"]) == ("main", desk.base, second)
        assert bundle["tasks"] == [
            {
                "id": "T1",
                "agent": "code-implementer",
                "commits": [first, second],
                "files": ["README.md", "shop/cart.py", "tests/test_cart.py"],
                "verifies": {"AC1": ["tests/test_cart.py::test_ac1_total"]},
            },
            {"id": "T2", "agent": "code-implementer", "commits": [], "files": [], "verifies": {}},
        ]
        tests = bundle["tests"]
        assert (tests["updated"], tests["files"], tests["passed"], tests["failed"]) == (
            True,
            ["tests/test_cart.py"],
            1,
            0,
        )
        assert bundle["docs"]["updated"] is True
        assert bundle["migrations"] == {"schema_changed": False, "created": [], "evidence": []}
        assert bundle["feature_flags"]["needed"] is False
        assert evidence[0]["exit_code"] == 0
        canonical_json(bundle)

    async def test_the_titles_wish_and_a_persons_waivers_are_kept(self, start: Start) -> None:
        desk = start({"shop/models.py": MODELS})
        commit(desk.repo, {"shop/models.py": MODELS.replace("100", "200")})
        waivers = {"doc-toucher": {"waived": "human: none needed"}, "migration-author": {"waived": "human: later"}}
        item = {"id": 1, "title": "Longer titles behind a feature flag"}
        request = desk.request(results={"tasks": [{"id": "T1", **waivers}]}, work_item=item)
        bundle, _ = await build_bundle(request, desk.bench)
        assert bundle["docs"]["waived"] == "human: none needed"
        assert bundle["migrations"]["schema_changed"] is False
        assert bundle["migrations"]["waived"] == "human: later"
        assert bundle["feature_flags"] == {"needed": True, "added": [], "asked_by": ["title"]}
        assert bundle["tests"]["updated"] is False
        assert bundle["tests"]["reason"] == "no tests ran"

    async def test_uncommitted_work_makes_nothing_pass(self, start: Start) -> None:
        desk = start({"tests/test_x.py": "def test_x(): ...\n"})
        (desk.repo / "tests/test_x.py").write_text("def test_x(): assert True\n")
        bundle, evidence = await build_bundle(desk.request(results={"tasks": []}), desk.bench)
        assert bundle["tests"]["passed"] == 0
        assert "not committed (tests/test_x.py)" in bundle["tests"]["reason"]
        assert evidence == []
        assert git(desk.repo, "status", "--porcelain") == "M tests/test_x.py"


@pytest.mark.parametrize("agent", [pattern_applier, migration_author, doc_toucher])
async def test_without_a_worktree_each_agent_asks_for_one(
    agent: Callable[[AgentRequest, Bench], Awaitable[AgentResponse]], tmp_path: Path
) -> None:
    response = await agent(AgentRequest("implementation-orch", {}, {}, "build.bundle"), Bench(None, tmp_path, tmp_path))
    assert response.status is Status.BLOCKED
    assert "worktree" in response.missing[0]
