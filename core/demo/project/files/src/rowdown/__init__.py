"""CSV rows in, a Markdown table out."""

from rowdown.rows import BadTable, read_rows
from rowdown.table import render

__all__ = ["BadTable", "read_rows", "render"]
