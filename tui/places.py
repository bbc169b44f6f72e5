"""Where the hands are: the places around the focus, which decide what the keys do."""

from __future__ import annotations

from typing import Any


def places_around(node: Any) -> dict[str, Any]:
    """The places around a node, the nearest first, each with the widget or screen that is it.

    A text field and a dialog end the row: what lies around or behind them gets none of the keys.
    """
    found: dict[str, Any] = {}
    while node is not None:
        for place in getattr(node, "PLACES", ()):
            found.setdefault(place, node)
        if getattr(node, "PLACES_END", False):
            break
        node = node.parent
    return found
