"""Numbers, as sentences have them."""

from __future__ import annotations


def counted(number: int, noun: str, many: str = "") -> str:
    """`1 question`, `2 questions`."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def figure(value: float, need: float, digits: int) -> str:
    """A number with so many digits after the point, or with more where fewer put it on the other side of the need."""
    while (float(f"{value:.{digits}f}") >= need) != (value >= need):
        digits += 1
    return f"{value:.{digits}f}"
