"""Changes of rows that wait to be carried out together: many rows of a table by one statement.

A statement of its own for every row costs the interpreter's lock twice, and with it a turn of every other thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from peewee import Field, Model

from core.store.schema import TABLES

_RANKS = {model._meta.table_name: n for n, model in enumerate(TABLES)}
"""Rows are written in the order in which tables can be made: what is referred to comes before what refers to it."""

MOST_ROWS = 64
"""Of one statement. It takes powers of two, so that few statements are kept prepared."""


@dataclass(frozen=True, slots=True, eq=False)
class Insert:
    """The statement that writes new rows of a table with these columns. There is one of each."""

    rank: int
    head: str
    row: str
    tail: str = ""

    def text(self, rows: int) -> str:
        return f"{self.head} {', '.join([self.row] * rows)} {self.tail}"


@cache
def insert_into(model: type[Model], names: tuple[str, ...], mark: str) -> Insert:
    """With the columns of these fields; `mark` stands for a parameter."""
    # Written once and kept: peewee builds the same statement in a tenth of a millisecond, every time.
    columns = ", ".join(f'"{model._meta.fields[n].column_name}"' for n in names)
    table = model._meta.table_name
    row = f"({', '.join([mark] * len(names))})"
    return Insert(_RANKS.get(table, len(_RANKS)), f'INSERT INTO "{table}" ({columns}) VALUES', row)


@cache
def add_to(model: type[Model], keys: tuple[str, ...], sums: tuple[str, ...], latest: str, mark: str) -> Insert:
    """The statement that adds to the running totals of the rows with these keys; `latest` takes the later value."""
    table = model._meta.table_name
    row = f"({', '.join([mark] * (len(keys) + len(sums) + 1))})"
    added = [f'"{name}" = "{table}"."{name}" + excluded."{name}"' for name in sums]
    changed = ", ".join([*added, f'"{latest}" = excluded."{latest}"'])
    columns = ", ".join(f'"{name}"' for name in (*keys, *sums, latest))
    tail = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
    return Insert(_RANKS[table], f'INSERT INTO "{table}" ({columns}) VALUES', row, tail)


@cache
def update_of(model: type[Model], names: tuple[str, ...], mark: str) -> str:
    """The statement that sets these fields of the row with a key, which is its last parameter."""
    columns = ", ".join(f'"{model._meta.fields[n].column_name}" = {mark}' for n in names)
    key = cast("Field", model._meta.primary_key).column_name
    return f'UPDATE "{model._meta.table_name}" SET {columns} WHERE "{key}" = {mark}'


Mark = tuple[int, int]
"""How many inserts and how many other statements were waiting at a moment."""


class Pending:
    """What waits: new rows, then statements about rows that are there by then."""

    def __init__(self, execute: Callable[[str, Sequence[Any]], Any]) -> None:
        """`execute` is the driver's own: peewee's part in a statement is as large as SQLite's."""
        self._execute = execute
        self._inserts: list[tuple[Insert, tuple[Any, ...]]] = []
        self._others: list[tuple[str, tuple[Any, ...]]] = []

    def insert(self, statement: Insert, row: tuple[Any, ...]) -> None:
        self._inserts.append((statement, row))

    def then(self, text: str, parameters: tuple[Any, ...]) -> None:
        """A statement to be carried out behind all new rows, and behind those that were given before."""
        self._others.append((text, parameters))

    def mark(self) -> Mark:
        return len(self._inserts), len(self._others)

    def cut(self, mark: Mark) -> None:
        """Forget what came after the mark."""
        del self._inserts[mark[0] :], self._others[mark[1] :]

    def carry_out(self, mark: Mark | None = None) -> None:
        """Write everything, or what came before the mark. Raises what the database fails with: then nothing is known
        of what was written, and the transaction has to be rolled back."""
        inserts, others = mark or self.mark()
        by_statement: dict[Insert, list[tuple[Any, ...]]] = {}
        for statement, row in self._inserts[:inserts]:
            by_statement.setdefault(statement, []).append(row)
        for statement in sorted(by_statement, key=lambda s: s.rank):
            for rows in _shares(by_statement[statement]):
                self._execute(_text(statement, len(rows)), [value for row in rows for value in row])
        for text, parameters in self._others[:others]:
            self._execute(text, parameters)
        del self._inserts[:inserts], self._others[:others]


@cache
def _text(statement: Insert, rows: int) -> str:
    return statement.text(rows)


def _shares(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The rows in runs whose lengths are powers of two, `MOST_ROWS` at the most."""
    at = 0
    while at < len(rows):
        size = min(MOST_ROWS, 1 << ((len(rows) - at).bit_length() - 1))
        yield rows[at : at + size]
        at += size
