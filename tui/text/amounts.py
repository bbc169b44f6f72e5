"""Tokens and dollars in words. What no price is known of is said to be so: it is not nothing."""

from __future__ import annotations

from tui.text.words import Mark

NO_PRICE = "no price"


def tokens(number: int) -> str:
    """In at most five cells: `812`, `12.3k`, `812k`, `1.2M`."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit * 0.9995:
            return f"{number / unit:.1f}{letter}" if number < 99.95 * unit else f"{number / unit:,.0f}{letter}"
    return str(number)


def dollars(amount: float) -> str:
    """`$4.20`; of less than a cent as many digits as it takes to tell it from nothing."""
    if 0 < amount < 0.00005:
        return "<$0.0001"
    return f"${amount:,.4f}" if 0 < amount < 0.01 else f"${amount:,.2f}"


def round_dollars(amount: float) -> str:
    """Without cents where they are few beside it: for a narrow place."""
    return f"${amount:,.0f}" if amount >= 10 else dollars(amount)


def price(amount: float | None, unpriced: int = 0, calls: int = 0) -> str:
    """What calls have cost; `amount` lacks the `unpriced` of them, or is None where no price is known at all."""
    if amount is None or (unpriced and unpriced >= calls and not amount):
        return NO_PRICE
    return f"{dollars(amount)}+" if unpriced else dollars(amount)


def used(number: int, amount: float | None) -> str:
    """`12.3k tok $0.04`."""
    return f"{tokens(number)} tok {price(amount)}"


NEARLY = Mark("▲", "low", "ask")
USED_UP = Mark("✗", "out", "bad")
"""How a budget stands that has little left, or nothing."""


def budget_mark(percent: int | None, warn_at: int) -> Mark | None:
    if percent is None or percent < min(warn_at, 100):
        return None
    return USED_UP if percent >= 100 else NEARLY


def of_limit(unit: str, amount: float, most: float | None, *, short: bool = False) -> str:
    """`$4.20 of $5.00`, `12.3k of 50.0k tok`; without a limit the amount alone."""
    if unit == "tokens":
        return f"{tokens(int(amount))}{f' of {tokens(int(most))}' if most is not None else ''} tok"
    say = round_dollars if short else dollars
    return f"{say(amount)}{f' of {say(most)}' if most is not None else ''}"
