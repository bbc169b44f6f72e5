"""Figures, as sentences about governance have them."""

from __future__ import annotations

from core.phrases import counted as counted


def figure(value: float, need: float, digits: int) -> str:
    """A number with so many digits after the point, or with more where fewer put it on the other side of the need."""
    while (float(f"{value:.{digits}f}") >= need) != (value >= need):
        digits += 1
    return f"{value:.{digits}f}"
