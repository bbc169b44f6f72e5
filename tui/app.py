"""The app: it holds the workspace, the engine and the bridge together, and knows the few things that work everywhere.

Imports here are what first paint pays for; screens, dialogs and the engine are imported when they are needed.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender

from core.contract import ApmError, UsageError
from core.interpreter import tune
from tui import person
from tui.actions import Action, bindings
from tui.background import in_background
from tui.bridge import Bridge, Engine
from tui.drafts import Drafts
from tui.driving import TakingOver, engine_of, make_engine
from tui.keystrokes import InOrder
from tui.places import places_around
from tui.screens.dashboard import Dashboard
from tui.settings.configured import ConfiguredApp
from tui.settings.themes import PlainBars
from tui.undoing import ONCE_MORE
from tui.widgets.key_bar import KeyBar
from tui.writing import Writing

if TYPE_CHECKING:
    from core.workspace import Workspace

STOP_SECONDS = 10.0
"""How long a stopping engine may take before the app leaves all the same; the journal makes up for it."""


class ApmApp(InOrder, Writing, ConfiguredApp):
    """Mission control for one workspace."""

    TITLE = "apm"
    PLACES: ClassVar[tuple[str, ...]] = ("app",)
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        Binding("ctrl+z", "help_suspend", show=False, system=True),
    ]
    CSS_PATH = "styles/app.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]
        (0, "-narrow"),
        (100, "-wide"),
        *((120, "-broad"), (150, "-vast")),
    ]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]
        (0, "-short"),
        (20, "-tall"),
    ]
    ENABLE_COMMAND_PALETTE = False
    """Ours is made from the action registry."""

    def __init__(
        self,
        workspace: Workspace | Callable[[], Workspace],
        engine: Engine | None = None,
        *,
        make_engine: Callable[[Workspace], Engine] | None = None,
    ) -> None:
        """A workspace that is still to be opened (a function) is opened after first paint, off the event loop.

        When that fails the app leaves at once, and `fault` says why.
        """
        super().__init__()
        self.animation_level = "none"
        self._open: Callable[[], Workspace] | None = workspace if callable(workspace) else None
        self._workspace: Workspace | None = None if callable(workspace) else workspace
        self.fault: ApmError | None = None
        self.engine, self._make_engine = engine, make_engine
        self.bridge, self._taking_over = Bridge(self.complain, self.tell_late), TakingOver(self.complain)
        self.person = person.name()
        self.drafts = Drafts()
        self._leaving = self._engine_started = False
        self.focused_at = float("-inf")
        """When its window last got the focus, by the monotonic clock."""

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from tui.driver import TerminalDriver

        return TerminalDriver

    def get_default_screen(self) -> Dashboard:
        return Dashboard()

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            # Textual restores the terminal only for an orderly exit; without these a signal leaves it in ruins.
            loop.add_signal_handler(number, self._stop_for, number)
        self.call_after_refresh(lambda: self.run_worker(self._begin(), group="opening"))

    async def on_unmount(self) -> None:
        await self.bridge.stop()

    @property
    def workspace(self) -> Workspace:
        """The open workspace. Nothing that a person can reach asks for it before it is open."""
        assert self._workspace is not None
        return self._workspace

    async def _begin(self) -> None:
        """After first paint: open, read, drive, and let time pass."""
        if self._open is not None:
            try:
                # Loading what it takes and bringing the database up to date takes a moment, in which keys are answered.
                await asyncio.to_thread(self._open_workspace, self._open)
            except ApmError as error:
                self.fault = error
                self.exit(error.exit_code)
                return
            finally:
                gc.enable()
        self.drafts.follow(self.workspace.state)
        if self.settings_file is None:
            self.follow_settings(self.workspace.state)
        self.bridge.start(self.workspace.store)
        self.run_worker(self._start_engine(), group="engine")
        self.set_interval(1.0, self._tick)

    def _open_workspace(self, open_: Callable[[], Workspace]) -> None:
        self._workspace = open_()

    def close_workspace(self) -> None:
        if self._open is not None and self._workspace is not None:
            self._workspace.close()

    async def _start_engine(self) -> None:
        """The engine's own tasks are its own; this only sets it going."""
        try:
            if self.engine is None and self._make_engine is not None:
                self.engine = await engine_of(self.workspace, self._make_engine, self.complain)
            if self.engine is not None:
                await self.engine.start()
                self._engine_started = True
                self.bridge.follow(self.engine)
                if self._open is not None:
                    tune(watched=True)  # Going over all that was loaded holds up keys for 100 ms and more.
        except ApmError as error:
            self.complain(str(error))

    async def _drive_on(self) -> None:
        """Whoever drove is gone: drive."""
        if self.engine is not None and await self._taking_over(self.engine):
            self.bridge.reload_all()
            self.tell("The apm that drove this workspace has ended; this one drives now.")

    @property
    def is_viewer(self) -> bool:
        """Another process holds the lease: this one shows, and can answer."""
        return self.engine is not None and self._engine_started and not self.engine.is_driving

    def _tick(self) -> None:
        if not self.is_running:
            return  # leaving: screens lose their widgets one after the other
        now = self.now()
        self.look_at_settings()
        if self.is_viewer and not self.bridge.is_driven:
            in_background(self, self._drive_on(), group="engine")
        for screen in self.screen_stack:
            tick = getattr(screen, "tick", None)
            if tick is not None:
                tick(now)

    def now(self) -> int:
        """The store's clock, milliseconds since the epoch."""
        return self._workspace.store.clock() if self._workspace is not None else int(time.time() * 1_000)

    # What screens and panes use

    def show_keys(self) -> None:
        """Footer: the keys of the place where the focus is; what lies behind a dialog has none."""
        if not self.is_running or not self.screen_stack:
            return  # leaving
        for bar in self.screen.query(KeyBar):
            bar.places = self.places_here()
        for behind in self.screen_stack[:-1]:
            for bar in behind.query(KeyBar):
                if bar.places:
                    bar.places = ()

    def places_here(self) -> tuple[str, ...]:
        """The places around the focus, the nearest first."""
        return tuple(places_around(self.focused or self.screen))

    def open_question(self, escalation: int) -> None:
        from tui.screens.questions.decision import Decision

        self.meant()
        self.push_screen(Decision(escalation))

    def open_work_item(self, work_item: int) -> None:
        from tui.screens.work.work_item import WorkItemScreen

        self.push_screen(WorkItemScreen(work_item))

    def open_diff(self, work_item: int) -> None:
        from tui.screens.work.diff import DiffScreen

        self.push_screen(DiffScreen(work_item))

    # Actions that work everywhere

    def action_go(self, key: str = "") -> None:
        """To a screen by its key; without one a menu of them opens."""
        from tui.destinations import BY_KEY, DESTINATIONS
        from tui.screens.dialogs.choice import Choice, ChoiceDialog

        def go(picked: str | None) -> None:
            if picked is not None:
                self._show_screen(BY_KEY[picked].kind())

        if key:
            go(key)
        else:
            self.push_screen(ChoiceDialog("Go to", [Choice(d.key, d.title, d.about) for d in DESTINATIONS]), go)

    def _show_screen(self, kind: type[Screen[None]]) -> None:
        """A screen of this kind: the one that is open already, with what lies over it closed, or a new one."""
        if not any(isinstance(screen, kind) for screen in self.screen_stack):
            self.push_screen(kind())
        while not isinstance(self.screen, kind):
            self.pop_screen()

    def action_copy(self) -> None:
        from tui.clipboard import copy_here

        copy_here(self)

    def action_undo(self) -> None:
        """Take back what was done last on this screen; the record keeps both."""
        in_background(self, self._take_back(), group="writes")

    async def _take_back(self) -> None:
        """What is still being written counts as done: the last thing is what a person asked for last."""
        async with self._one_deed:
            undo = self.undo.pop()
            if undo is None:
                self.tell("Nothing was done here that can be taken back. The history has what was answered before.")
                return
            try:
                if undo.work is not None:
                    await self.bridge.write(undo.work)
            except UsageError as error:
                # It was too late for this one, and it is gone: whoever presses again must know what that means.
                raise UsageError(f"{error} {ONCE_MORE}") if self.undo else error from None
            except Exception:
                self.undo.push(undo)
                raise
        if undo.said:
            self.tell(undo.said)

    def action_help(self) -> None:
        from tui.screens.help import HelpDialog

        self.push_screen(HelpDialog(self.places_here()))

    def action_commands(self) -> None:
        from tui.screens.palette import Palette

        places = places_around(self.focused or self.screen)

        def run(picked: Action | None) -> None:
            if picked is not None:
                in_background(self, self.run_action(picked.handler, places[picked.place]), group="commands")

        self.push_screen(Palette(tuple(places)), run)

    def action_new_work_item(self) -> None:
        from tui.screens.work.new_work_item import write_work_item

        in_background(self, write_work_item(self), group="dialogs")

    def action_next_for_me(self) -> None:
        """The next question in the queue's order; from a question, the one after it."""
        from tui.screens.questions.decision import Decision
        from tui.subjects import open_next_for_me

        if isinstance(self.screen, Decision):
            self.screen.go_on()
        else:
            in_background(self, open_next_for_me(self), group="next", exclusive=True)

    def action_toggle_ascii(self) -> None:
        self.ascii_glyphs = not self.ascii_glyphs

    def watch_ascii_glyphs(self) -> None:
        self.set_class(self.ascii_glyphs, "-ascii")
        ScrollBar.renderer = PlainBars if self.ascii_glyphs else ScrollBarRender
        for screen in self.screen_stack:
            for widget in screen.query("*"):
                widget.notify_style_update()
                widget.refresh()

    def watch_app_focus(self, has_focus: bool) -> None:
        if has_focus:
            self.focused_at = time.monotonic()

    def _stop_for(self, number: int) -> None:
        self._leave(128 + number)

    @property
    def takes_keys(self) -> bool:
        return super().takes_keys and not self._leaving

    async def action_quit(self) -> None:
        """Textual's own key for it (ctrl+q) leaves in the same good order."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Ctrl+c, which elsewhere ends a program."""
        self.tell("q quits.")

    def action_help_suspend(self) -> None:
        """Ctrl+z, which elsewhere puts a program aside: agents would stand still, and another apm take over."""
        self.tell("apm is not put aside: q quits, and the next start goes on from there.")

    def action_leave(self) -> None:
        live = self.engine.live() if self.engine is not None and self.engine.is_driving else None
        if live is None or not live.work_items:
            self._leave(0)
            return
        from tui.screens.dialogs.choice import ConfirmDialog
        from tui.text.words import plural

        running = plural(len(live.work_items), "work item is running", "work items are running")
        text = f"{running}. What is recorded stays; the next start goes on from there."
        self.push_screen(
            ConfirmDialog("Stop and quit?", text, "Stop and quit", "Stay"), lambda yes: self._leave(0) if yes else None
        )

    def _leave(self, code: int) -> None:
        if not self._leaving:
            self._leaving = True
            self.drafts.gather(self.screen_stack)
            self._stopping = asyncio.create_task(self._stop(code))

    async def _stop(self, code: int) -> None:
        try:
            if self.engine is not None:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.engine.stop()
        except (ApmError, TimeoutError):
            # Leaving is what was asked for; what did not stop in time is found again in the journal.
            pass
        finally:
            self.drafts.keep()
            await self.put_together()
            self.exit(code)


def run(folder: Path) -> int:
    """Open the app on a workspace; the exit code. Raises ApmError when the workspace cannot be opened."""

    def opened() -> Workspace:
        from core.workspace import Workspace

        return Workspace.open(folder, team="as-known")

    app = ApmApp(opened, make_engine=lambda known: make_engine(known, app.tell, app.complain, app.standing))
    app.follow_settings(folder / "state")
    try:
        code = app.run() or 0
    finally:
        app.close_workspace()
    if app.fault is not None:
        raise app.fault
    return code
