"""Numbers with their nouns, as sentences have them."""

from __future__ import annotations


def counted(number: int, noun: str, many: str = "") -> str:
    """`1 question`, `2 questions`."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
