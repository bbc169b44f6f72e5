"""How much of a screen each pane has: a person makes panes larger, smaller, folds them, and finds them so again.

A pane is sized against what stands beside it in the same container: by its height in a column, by its width in a row.
One that has a column to itself is sized as that column. Sizes are shares (`fr`), so that they stay in proportion when
the terminal changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

Axis = Literal["width", "height"]

STEPS: dict[Axis, int] = {"width": 4, "height": 2}
"""Cells that a pane gains or loses at once."""
LEAST: dict[Axis, int] = {"width": 24, "height": 5}
FOLDED = 2
"""Lines of a folded pane: its border, which bears the title."""
MARGIN = 8
"""Cells of a folded pane beside its title: border, number, spaces."""


@dataclass(slots=True)
class Layout:
    """What a person made of a screen's panes: shares by the name of what has them, and the panes that are folded."""

    shares: dict[str, int] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)


_layouts: WeakKeyDictionary[App[Any], dict[type[Screen[Any]], Layout]] = WeakKeyDictionary()
"""For as long as the app runs."""


def layout_of(screen: Screen[Any]) -> Layout:
    return _layouts.setdefault(screen.app, {}).setdefault(type(screen), Layout())


class Room(NamedTuple):
    """A container in which panes, or containers of panes, stand beside each other."""

    axis: Axis
    held: tuple[Widget, ...]
    panes: tuple[tuple[str, ...], ...]
    """The panes in each of those that are held."""

    def open_ones(self, layout: Layout) -> list[Widget]:
        return [w for w, inside in zip(self.held, self.panes, strict=True) if not layout.folded.issuperset(inside)]

    def name(self, widget: Widget) -> str:
        return " ".join(self.panes[self.held.index(widget)])


def rooms_around(pane: Widget, panes: Sequence[Widget]) -> Iterator[tuple[Room, Widget]]:
    """The rooms that a pane stands in, the nearest first, each with what of it holds the pane."""
    held: DOMNode = pane
    while isinstance(held.parent, Widget):
        container = held.parent
        inside = {w: tuple(str(p.id) for p in panes if w in p.ancestors_with_self) for w in container.children}
        beside = tuple(w for w, names in inside.items() if names)
        if len(beside) > 1 and isinstance(held, Widget):
            layout: Any = container.styles.layout
            axis: Axis = "width" if getattr(layout, "name", "") == "horizontal" else "height"
            yield Room(axis, beside, tuple(inside[w] for w in beside)), held
        held = container


def resized(pane: Widget, direction: int, panes: Sequence[Widget], layout: Layout) -> bool:
    """Give a pane a step more (1) or less (-1), from or to the one beside it; False when there is no room for that."""
    room, sized = next(rooms_around(pane, panes), (None, pane))
    open_ones = room.open_ones(layout) if room is not None else []
    if room is None or sized not in open_ones or len(open_ones) < 2:
        return False
    at = open_ones.index(sized)
    other = open_ones[at + 1] if at + 1 < len(open_ones) else open_ones[at - 1]
    sizes = {w: int(getattr(w.outer_size, room.axis)) for w in open_ones}
    giving, taking = (other, sized) if direction > 0 else (sized, other)
    step = min(STEPS[room.axis], sizes[giving] - LEAST[room.axis])
    if step <= 0:
        return False
    sizes[giving] -= step
    sizes[taking] += step
    layout.shares.update({room.name(w): size for w, size in sizes.items()})
    return True


def toggle_fold(pane: Widget, panes: Sequence[Widget], layout: Layout) -> bool:
    """Fold a pane, or unfold it; False where no other beside it is open. Those beside it share the room anew."""
    room, sized = next(rooms_around(pane, panes), (None, pane))
    if room is None or (pane.id not in layout.folded and not [w for w in room.open_ones(layout) if w is not sized]):
        return False
    layout.folded ^= {str(pane.id)}
    for widget in room.held:
        layout.shares.pop(room.name(widget), None)
    return True


def apply(panes: Sequence[Widget], layout: Layout, *, one_at_a_time: bool) -> None:
    """Lay the panes out. Where one is shown at a time it has all the room, whatever was made of it elsewhere."""
    around = {pane: list(rooms_around(pane, panes)) for pane in panes}
    for widget in {w for pane, rooms in around.items() for w in (pane, *(held for _, held in rooms))}:
        for rule in ("width", "height", "min_height"):
            setattr(widget.styles, rule, None)
    for pane, rooms in around.items():
        folded = pane.id in layout.folded and not one_at_a_time
        pane.set_class(folded, "-folded")
        if one_at_a_time:
            continue
        for room, held in rooms:
            _give_share(room, held, layout)
        if folded:
            pane.styles.height = pane.styles.min_height = FOLDED
            if rooms and rooms[0][0].axis == "width":
                rooms[0][1].styles.width = len(str(getattr(pane, "TITLE", ""))) + MARGIN


def _give_share(room: Room, held: Widget, layout: Layout) -> None:
    open_ones = room.open_ones(layout)
    share = layout.shares.get(room.name(held), 0)
    if not share and open_ones and held is open_ones[-1] and len(open_ones) < len(room.held):
        # What a folded neighbour leaves is taken, also by one whose size is fixed.
        share = 1
    if share and held in open_ones:
        setattr(held.styles, room.axis, f"{share}fr")
