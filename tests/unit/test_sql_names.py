"""Every name in double quotes in SQL of our own is one of the schema: SQLite takes any other for a string, silently."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import core
import tui
from core.store.schema import TABLES

COLUMNS = {model._meta.table_name: {field.column_name for field in model._meta.sorted_fields} for model in TABLES}
_SQL = re.compile(
    r"\b(SELECT|FROM|WHERE|SET|AND|OR|NOT|IS NULL|IN|ORDER BY|GROUP BY|COALESCE|SUM|COUNT|MAX|CASE|JOIN)\b(?!\w)"
)
_QUOTED = re.compile(r'"(\w+)"')
_NAMED_THERE = re.compile(r'\bAS "(\w+)"')


def unknown_names(source: str) -> list[str]:
    """The quoted names in a module's SQL that are neither a table, nor a column of a table that the text names, nor
    named in it by AS. A part of a statement that names no table may have the columns of all."""
    found = []
    for text in _texts(ast.parse(source)):
        if not _SQL.search(text):
            continue
        tables = [name for name in COLUMNS if re.search(rf"\b{name}\b", text)] or COLUMNS
        known = {*COLUMNS, *_NAMED_THERE.findall(text)}.union(*(COLUMNS[name] for name in tables))
        found += [name for name in _QUOTED.findall(text) if name not in known]
    return found


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every string, an f-string as one with blanks for its values, but for docstrings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield from _texts(node)


def test_every_quoted_name_in_sql_is_one_of_the_schema() -> None:
    sources = [path for home in (core, tui) for path in Path(str(home.__file__)).parent.rglob("*.py")]
    # A migration names what the schema was once.
    checked = [path for path in sources if "migrations" not in path.parts]
    wrong = {path: names for path in checked if (names := unknown_names(path.read_text("utf-8")))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ('SELECT "raised_at" FROM "escalations" WHERE "work_item_id" = ?', ["work_item_id"]),
        ('SELECT "raised_at" AS "since" FROM escalations ORDER BY "since"', []),
        ('"resolved_at" IS NULL AND "worked_at" IS NULL', ["worked_at"]),
        ('SELECT "tokens" FROM "escalations"', ["tokens"]),
        ('Answer "yes" or "no".', []),
    ],
)
def test_a_name_that_no_table_has_is_found(sql: str, names: list[str]) -> None:
    assert unknown_names(f"TEXT = '''{sql}'''") == names
    assert unknown_names(f"def read(day):\n    '''Of \"it\" AND \"that\".'''\n    return f'''{{day}}{sql}'''") == names
