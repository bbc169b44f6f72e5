"""The command line: read one file, print one table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from rowdown.rows import BadTable, read_rows
from rowdown.table import render

DONE, FAILED = 0, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 2 when a file is missing or no table."""
    options = _parser().parse_args(argv)
    try:
        rows = read_rows(_text_of(options.file))
    except (OSError, UnicodeDecodeError, BadTable) as error:
        print(f"rowdown: {options.file}: {_reason(error)}", file=sys.stderr)
        return FAILED
    print(render(rows), end="")
    return DONE


def version() -> str:
    """Tell the version that is installed, or say that none is."""
    try:
        return metadata.version("rowdown")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rowdown", description="Print a CSV file as a Markdown table."
    )
    parser.add_argument("file", help="the CSV file, or - for standard input")
    parser.add_argument("--version", action="version", version=f"rowdown {version()}")
    return parser


def _text_of(file: str) -> str:
    return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
