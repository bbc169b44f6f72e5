"""A screen of numbered panes: moving between them, filtering one, and showing one at a time where it is narrow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region
from textual.reactive import Reactive, reactive
from textual.screen import Screen
from textual.widget import Widget

from core.sanitise import one_line
from tui.actions import bindings
from tui.screens import pane_layout
from tui.text.words import Line, Span
from tui.widgets.key_bar import KeyBar
from tui.widgets.live import Live
from tui.widgets.painted import PaintedLine, cells_of, fit
from tui.widgets.row_list import RowList
from tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from tui.app import ApmApp


LEAST_WORDS = 4
"""Of a filter's words so much is shown before the pane's name gives way."""


class PaneTabs(PaintedLine):
    """The panes' names where only one of them is shown."""

    titles: reactive[tuple[str, ...]] = reactive(())
    notes: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """Of each pane what its rows are narrowed to (see `_narrowing`); the one that is shown has no border to say it."""
    current: reactive[int] = reactive(0)

    def __init__(self, *, numbered: bool = True) -> None:
        super().__init__()
        self.numbered = numbered

    def halves(self, width: int) -> tuple[Line, Line]:
        return tuple(span for tab in self._tabs(width) for span in tab), ()

    def _tabs(self, width: int) -> list[list[Span]]:
        """Of each pane its number and, where there is room or it is the one shown, its name; of that one its note."""
        words, counts = dict(enumerate(self.notes)).get(self.current, ("", ""))
        noted = cell_len(words + counts)
        fits = sum(len(title) + 4 for title in self.titles) + noted + bool(noted) <= width
        tabs: list[list[Span]] = []
        for n, title in enumerate(self.titles):
            here = n == self.current
            number = f" {n + 1} " if self.numbered else " " if here or fits else " · "
            tabs.append([(number, "accent" if here or fits else "dim")])
            if here or fits:
                tabs[-1].append((f"{title} ", "strong" if here else "dim"))
        if noted:
            shown = tabs[self.current]
            room = width - sum(cells_of(tuple(tab)) for tab in tabs)
            name = cells_of((shown[1],))
            kept = max(min(name, room + name - cell_len(words[:LEAST_WORDS] + counts) - 1), 0)
            shown[1:] = [*fit((shown[1],), kept), *_note(words, counts, room + name - kept)]
        return tabs

    def on_click(self, event: events.Click) -> None:
        """A click on a name goes there."""
        at = 0
        for n, tab in enumerate(self._tabs(self.size.width), 1):
            at += cells_of(tuple(tab))
            if event.x < at:
                self.go_to(n)
                return

    def go_to(self, number: int) -> None:
        cast("PaneScreen", self.screen).action_pane(number)


def _note(words: str, counts: str, room: int) -> Line:
    """How many rows a filter lets through is told whole, where that can be; its words take what room is left."""
    cut = fit(((words, "accent"),), min(cell_len(words), max(room - 1 - cell_len(counts), 2)))
    return (*cut, (f"{counts} ", "dim"))


def _narrowing(pane: Any) -> tuple[str, str]:
    """A list's filter, and how many rows it lets through and are marked; without a filter the marks alone."""
    marks = getattr(pane, "marks_note", "")
    if getattr(pane, "filter_text", ""):
        return f"/{one_line(pane.filter_text)}", f": {pane.let_through}{marks}"
    return "", marks.removeprefix(", ")


class PaneScreen(Screen[None]):
    """Subclasses name their panes in `PANES` (widget ids, in the order of their numbers) and compose `body`."""

    PLACES: ClassVar[tuple[str, ...]] = ("panes",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("panes")]
    PANES: ClassVar[tuple[str, ...]] = ()
    BESIDE: ClassVar[dict[tuple[str, int], str]] = {}
    """Which pane lies left (-1) or right (1) of a pane."""
    NUMBERED: ClassVar[bool] = True
    """Whether titles bear the panes' numbers: not where digits answer."""
    AUTO_FOCUS = ""
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """A pane that gains or loses the focus draws that itself; Textual would draw the whole screen anew."""

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield PaneTabs(numbered=self.NUMBERED)
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    @property
    def apm(self) -> ApmApp:
        return cast("ApmApp", self.app)

    def pane(self, name: str) -> Any:
        return self.query_one(f"#{name}")

    @property
    def current(self) -> str:
        focused = self.focused
        here = next((p for p in self.PANES if focused is not None and focused.id == p), "")
        return here or self._last

    _last = ""

    def __init__(self) -> None:
        super().__init__()
        self._titles: dict[str, tuple[str, str]] = {}
        self._is_laid_out = False

    def on_mount(self) -> None:
        self._last = self.PANES[0]
        self._show_current(self.start_pane)
        self._mark_shown()
        self.pane(self.start_pane).focus()
        self.refresh_titles()
        self.lay_out()

    def on_resize(self) -> None:
        # Before the screen finds out whether it is narrow now, and after that.
        self._mark_shown()
        self.call_next(self.lay_out)
        self.call_next(self.apm.show_keys)

    @property
    def start_pane(self) -> str:
        return self.PANES[0]

    def refresh_titles(self) -> None:
        """Each pane's border says its number, its name and what it holds."""
        tabs, panes = self.query_one(PaneTabs), [self.pane(name) for name in self.PANES]
        tabs.titles, tabs.notes = tuple(pane.TITLE for pane in panes), tuple(map(_narrowing, panes))
        for n, name in enumerate(self.PANES, 1):
            pane = self.pane(name)
            note = pane.filter_note if getattr(pane, "filter_text", "") else pane.summary
            if name in pane_layout.layout_of(self).folded:
                note = "folded"
            if (pane.TITLE, note) != self._titles.get(name):
                self._titles[name] = (pane.TITLE, note)
                number = [(f"{n} ", "$accent bold")] if self.NUMBERED else []
                _label(pane, Content.assemble(*number, pane.TITLE), Content(note))

    def on_filter_bar_refiltered(self) -> None:
        self.refresh_titles()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id in self.PANES:
            self._show_current(str(event.widget.id))
        self.apm.show_keys()

    def on_screen_resume(self) -> None:
        for widget in self.query(Widget):
            if isinstance(widget, Live):
                widget.catch_up()
        self.lay_out()
        self.apm.show_keys()

    def tick(self, now: int) -> None:
        for widget in self.query(Widget):
            if isinstance(widget, Live):
                widget.tick(now)

    def _show_current(self, name: str) -> None:
        self._last = name
        self.query_one(PaneTabs).current = self.PANES.index(name)
        if self.shows_one:
            self._mark_shown()

    def _mark_shown(self) -> None:
        """Mark the pane, and the column it stands in, that is shown where only one is."""
        shown = self.pane(self._last)
        for pane in self._panes:
            pane.set_class(pane is shown, "-shown")
        for column in self.query(".column"):
            column.set_class(column in shown.ancestors, "-shown")

    def go(self, name: str) -> None:
        """To a pane; nowhere where it is not there now."""
        if name in self.PANES:
            self._show_current(name)
            self.pane(name).focus()

    def action_pane(self, number: int) -> None:
        if number <= len(self.PANES):
            self.go(self.PANES[number - 1])

    def action_pane_step(self, step: int) -> None:
        self.go(self.PANES[(self.PANES.index(self.current) + step) % len(self.PANES)])

    def action_enlarge(self) -> None:
        self._mark_shown()
        self.toggle_class("-enlarged")
        self.lay_out()
        self.apm.show_keys()

    @property
    def shows_one(self) -> bool:
        """One pane at a time: the screen is narrow, or a pane is enlarged."""
        return self.has_class("-narrow") or self.has_class("-enlarged")

    def lay_out(self) -> None:
        """Give each pane the room that a person gave it on this kind of screen."""
        layout = pane_layout.layout_of(self)
        if self._is_laid_out or layout.shares or layout.folded:
            self._is_laid_out = True
            pane_layout.apply(self._panes, layout, one_at_a_time=self.shows_one)
            self.refresh_titles()

    @property
    def _panes(self) -> list[Widget]:
        return [self.pane(name) for name in self.PANES]

    def action_resize(self, direction: int) -> None:
        if self.shows_one:
            self.apm.tell("Only one pane is shown: it has all the room.")
        elif pane_layout.resized(self.pane(self.current), direction, self._panes, pane_layout.layout_of(self)):
            self.lay_out()

    def action_fold(self) -> None:
        """Fold the pane to its title, or unfold it."""
        if self.shows_one:
            self.apm.tell("Only one pane is shown: there is nothing to fold.")
        elif not self._toggle_fold(self.current):
            self.apm.tell("The last open pane here cannot be folded.")

    def _toggle_fold(self, name: str) -> bool:
        toggled = pane_layout.toggle_fold(self.pane(name), self._panes, pane_layout.layout_of(self))
        self.lay_out()
        return toggled

    def unfold(self, name: str) -> bool:
        """Unfold a pane that is folded; whether it was."""
        return name in pane_layout.layout_of(self).folded and not self.shows_one and self._toggle_fold(name)

    def action_reset_sizes(self) -> None:
        layout = pane_layout.layout_of(self)
        layout.shares.clear()
        layout.folded.clear()
        self.lay_out()

    def on_click(self, event: events.Click) -> None:
        """On a pane's upper border, which bears its title: once unfolds a folded one, twice enlarges."""
        pane = event.widget
        if pane is None or pane.id not in self.PANES or event.screen_y != pane.region.y:
            return
        self.go(pane.id)
        if not self.unfold(pane.id) and event.chain == 2:
            self.action_enlarge()

    def action_out(self) -> None:
        pane = self.pane(self.current)
        if getattr(pane, "filter_text", ""):
            pane.set_filter("")
            self.refresh_titles()
        elif self.has_class("-enlarged"):
            self.action_enlarge()
        else:
            self.leave()

    def leave(self) -> None:
        self.dismiss()

    @on(RowList.Moved)
    @on(RowList.Reread)
    def _offer_keys(self, message: RowList.Moved | RowList.Reread) -> None:
        """Which keys apply depends on the row under the cursor, and on what has become of it."""
        if message.rows.has_focus:
            self.apm.show_keys()

    @on(RowList.Sideways)
    def _beside(self, message: RowList.Sideways) -> None:
        to = self.BESIDE.get((self.current, message.direction))
        if to is not None:
            self.go(to)

    @on(RowList.FilterAsked)
    async def _ask_filter(self, message: RowList.FilterAsked) -> None:
        from tui.widgets.filter_bar import FilterBar

        for bar in self.query(FilterBar):
            await bar.remove()
        bar = FilterBar(message.rows)
        await self.mount(bar, before=self.query_one(KeyBar))
        bar.focus()


def _label(pane: Widget, title: Content, note: Content) -> None:
    """What Textual's own `border_title` and `border_subtitle` do, but only the border's two lines are drawn anew."""
    pane._border_title, pane._border_subtitle = title, note
    size, inside = pane.outer_size, pane.content_offset
    pane.refresh(*(Region(-inside.x, y - inside.y, size.width, 1) for y in (0, size.height - 1)))
