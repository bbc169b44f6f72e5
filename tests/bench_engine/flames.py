"""A flame picture of collapsed stacks, as an SVG that needs no script. Pure.

A collapsed stack is a line `outermost;…;innermost COUNT`. Each box is a function, as wide as the share of samples in
which it was on the stack; what stands on a box was called by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, ROW, TOP, FOOT, MARGIN = 1600.0, 18.0, 64.0, 12.0, 10.0
CHARACTER = 6.7
"""Width of one character of the labels."""
SMALLEST = 1.2
"""Narrower boxes are left out: they could be neither read nor pointed at."""

COLOURS: Mapping[str, tuple[str, str]] = {
    "core/store": ("#e8a15c", "the store"),
    "core/": ("#e8cf6b", "the rest of apm"),
    "peewee": ("#d98a8a", "peewee"),
    "json/": ("#9fc2e0", "JSON"),
    "tests/": ("#cfcfcf", "the benchmark"),
    "": ("#b9d3ae", "Python's own library"),
}
"""By what a frame's file begins with, the first that fits: its colour, and what the legend calls it."""

BEGINNINGS = ("BaseEventLoop._run_once", "_WorkItem.run", "Writer._serve", "Thread.run")
"""Everything below the first of these frames on the stack is how any loop or thread begins."""
WAITING = ("_worker", "Writer._next_group", "EpollSelector.select")
"""Innermost frames of threads that have nothing to do."""


@dataclass
class Node:
    """One function at one place of the stacks."""

    name: str
    count: int = 0
    below: dict[str, Node] = field(default_factory=dict)

    def child(self, name: str) -> Node:
        return self.below.setdefault(name, Node(name))

    @property
    def depth(self) -> int:
        return 1 + max((child.depth for child in self.below.values()), default=0)


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place in the picture, in pixels from the left, and its row from the top."""

    node: Node
    left: float
    width: float
    row: int


def parsed(lines: Iterable[str]) -> Iterator[tuple[list[str], int]]:
    """Stacks with their counts, from the thread straight to what it is at. What a program does before its event loop
    runs, and after it, is left out, and so are threads that wait for work."""
    for line in lines:
        text, _, count = line.rpartition(" ")
        frames = text.split(";")
        at = next((n for b in BEGINNINGS for n, frame in enumerate(frames) if frame.startswith(f"{b} ")), None)
        if at is not None and count.isdigit() and not frames[-1].startswith(tuple(f"{w} " for w in WAITING)):
            yield [_thread(frames[0]), *frames[at + 1 :]], int(count)


def _thread(frame: str) -> str:
    """A thread's name without its number, which is another in each run; those of a pool are taken together."""
    name = frame.partition(": ")[2] or frame
    return name.rstrip("0123456789").rstrip("_-")


def tree(stacks: Iterable[tuple[Sequence[str], int]]) -> Node:
    root = Node("all")
    for frames, count in stacks:
        root.count += count
        node = root
        for frame in frames:
            node = node.child(frame)
            node.count += count
    return root


def shares(stacks: Iterable[tuple[Sequence[str], int]], prefix: str) -> list[tuple[str, float, float]]:
    """Functions whose file begins so, widest first: the share of samples in which each was on a stack, and in which
    it was the innermost of them."""
    within: Counter[str] = Counter()
    itself: Counter[str] = Counter()
    total = 0
    for frames, count in stacks:
        total += count
        for frame in {frame for frame in frames if _file(frame).startswith(prefix)}:
            within[frame] += count
        ours = [frame for frame in frames if _file(frame).startswith(prefix)]
        if ours:
            itself[ours[-1]] += count
    return [(frame, count / total, itself[frame] / total) for frame, count in within.most_common()]


def boxes(root: Node, width: float = WIDTH - 2 * MARGIN) -> Iterator[Box]:
    """Every box that is wide enough to be seen, outermost first."""
    waiting = [Box(root, MARGIN, width, 0)]
    while waiting:
        box = waiting.pop()
        yield box
        left = box.left
        for child in sorted(box.node.below.values(), key=lambda node: -node.count):
            wide = box.width * child.count / box.node.count
            if wide >= SMALLEST:
                waiting.append(Box(child, left, wide, box.row + 1))
            left += wide


def picture(root: Node, title: str) -> str:
    """The SVG: the threads below, what they were at above."""
    drawn = list(boxes(root))
    rows = 1 + max(box.row for box in drawn)
    height = TOP + rows * ROW + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" font-size="11" '
        'font-family="ui-monospace, DejaVu Sans Mono, Menlo, monospace">',
        f'<rect width="{WIDTH:.0f}" height="{height:.0f}" fill="#fdfcf8"/>',
        f'<text x="{MARGIN}" y="24" font-size="15">{escape(title)}</text>',
        *_legend(),
        *(_drawn(box, root.count, height) for box in drawn),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend() -> Iterator[str]:
    left = MARGIN
    for colour, what in COLOURS.values():
        yield f'<rect x="{left:.0f}" y="38" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{left + 17:.0f}" y="48">{what}</text>'
        left += 35 + CHARACTER * len(what)


def _drawn(box: Box, total: int, height: float) -> str:
    top = height - FOOT - (box.row + 1) * ROW
    share = 100 * box.node.count / total
    name = box.node.name
    fits = int((box.width - 6) / CHARACTER)
    label = name.partition(" (")[0]
    shown = label if len(label) <= fits else f"{label[: fits - 1]}…" if fits > 3 else ""
    text = f'<text x="{box.left + 3:.1f}" y="{top + 12.5:.1f}">{escape(shown)}</text>' if shown else ""
    return (
        f"<g><title>{escape(name)}: {share:.1f} %</title>"
        f'<rect x="{box.left:.1f}" y="{top:.1f}" width="{max(box.width - 0.5, 0.5):.1f}" height="{ROW - 1:.0f}" rx="1" '
        f'fill="{_colour(name)}"/>{text}</g>'
    )


def _colour(frame: str) -> str:
    file = _file(frame)
    return next(colour for start, (colour, _) in COLOURS.items() if file.startswith(start))


def _file(frame: str) -> str:
    """The file of a frame that is written `function (file:line)`."""
    return frame.rpartition(" (")[2].rstrip(")") if " (" in frame else ""
