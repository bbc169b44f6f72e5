"""Telling numbers from words, so that a column of amounts lines up on the right."""

from __future__ import annotations

CURRENCIES = "$€£¥"


def is_number(text: str) -> bool:
    """Say whether a person would read the text as one number.

    That takes in a sign, a currency, thousands between commas, a percentage, and an amount in
    parentheses: `-3`, `$1,250.00`, `12.5 %`, `(40)`.
    """
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    elif text.startswith(("-", "+", "\N{MINUS SIGN}")):
        text = text[1:]
    if text and text[0] in CURRENCIES:
        text = text[1:]
    elif text and text[-1] in CURRENCIES + "%":
        text = text[:-1].rstrip()
    # TODO: thousands between spaces or points, as most of Europe writes them, count as words.
    whole, point, fraction = text.partition(".")
    if point and not _digits(fraction):
        return False
    if "," in whole:
        first, *rest = whole.split(",")
        return _digits(first) and len(first) <= 3 and all(_digits(g) and len(g) == 3 for g in rest)
    return _digits(whole)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
