"""The figures as one table: rich in a terminal, aligned text in a pipe, and JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from core.contract import Json
from tests.bench.measure import Figure

HEADERS = ("", "median", "p99", "n", "floor", "", "against", "ratio")
NUMBERS = frozenset({1, 2, 3, 4, 7})
"""Columns that are set flush right."""

Results = Mapping[str, Sequence[Figure]]
"""The figures of each subject, in the order in which they are shown."""

NOTES = (
    "p99 is the slow end: for rates the lowest, and with fewer than 100 samples the worst there was.",
    "A line that ends in `p99, worst` has these two in the columns of median and p99.",
    "A floor of SPEC §8 is judged by the median.",
    "The ratio is this line's median over the baseline's, both taken by turns in this run.",
)


def show(results: Results, heading: str, ending: str) -> None:
    """Print the table to standard output."""
    if sys.stdout.isatty():
        _show_rich(results, heading, ending)
    else:
        print("\n".join([heading, "", *_plain(results), "", *NOTES, ending]))


def as_json(results: Results) -> Json:
    return {
        subject: [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
        for subject, figures in results.items()
    }


def cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        f"{number(figure.median)} {figure.unit}",
        number(figure.worst),
        f"{figure.n:,}",
        "" if figure.floor is None else f"< {number(figure.floor)}",
        figure.verdict,
        figure.baseline,
        "" if figure.ratio is None else f"{number(figure.ratio)} x",
    )


def number(value: float) -> str:
    """Three figures that count, however large or small the value is."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _plain(results: Results) -> list[str]:
    rows = [HEADERS, *(cells(f) for figures in results.values() for f in figures)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADERS))]

    def line(row: Sequence[str]) -> str:
        fitted = (c.rjust(w) if n in NUMBERS else c.ljust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        return "  ".join(fitted).rstrip()

    lines = [line(HEADERS)]
    for subject, figures in results.items():
        lines += ["", subject, *(line(cells(figure)) for figure in figures)]
    return lines


def _show_rich(results: Results, heading: str, ending: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for n, header in enumerate(HEADERS):
        table.add_column(header, justify="right" if n in NUMBERS else "left", no_wrap=n > 0)
    for subject, figures in results.items():
        table.add_row()
        table.add_row(Text(subject, style="bold"))
        for figure in figures:
            style = {"met": "green", "MISSED": "bold red"}.get(figure.verdict, "")
            table.add_row(*(Text(c, style=style if n == 5 else "") for n, c in enumerate(cells(figure))))
    console = Console()
    console.print(Text(heading), table, "", *(Text(note, style="dim") for note in (*NOTES, ending)), sep="\n")
