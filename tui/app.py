"""The app: it holds the workspace, the engine and the bridge together, and knows the few things that work everywhere.

Imports here are what first paint pays for; screens, dialogs and the engine are imported when they are needed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.reactive import var
from textual.scrollbar import ScrollBar, ScrollBarRender

from core.contract import ApmError
from core.sanitise import sanitise
from tui import person
from tui.actions import Action, bindings
from tui.bridge import Bridge, Engine
from tui.driving import engine_of, make_engine
from tui.places import places_around
from tui.screens.dashboard import Dashboard
from tui.themes import DARK, FALLBACKS, LIGHT, PlainBars
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from core.store.writer import Transaction
    from core.workspace import Workspace

STOP_SECONDS = 10.0
"""How long a stopping engine may take before the app leaves all the same; the journal makes up for it."""


class ApmApp(App[int]):
    """Mission control for one workspace."""

    TITLE = "apm"
    PLACES: ClassVar[tuple[str, ...]] = ("app",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    CSS_PATH = "styles/app.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]
        (0, "-narrow"),
        (100, "-wide"),
        (120, "-broad"),
    ]
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [  # type: ignore[misc]
        (0, "-short"),
        (20, "-tall"),
    ]
    ENABLE_COMMAND_PALETTE = False
    """Ours is made from the action registry."""

    ascii_glyphs: var[bool] = var(False)

    def __init__(
        self,
        workspace: Workspace,
        engine: Engine | None = None,
        *,
        make_engine: Callable[[Workspace], Engine] | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.workspace, self.engine, self._make_engine = workspace, engine, make_engine
        self.bridge = Bridge(workspace.store, self.complain)
        self.person = person.name()
        self.drafts: dict[str, dict[str, str]] = {}
        """What was written into forms that were left without sending."""
        self._leaving = self._engine_started = False
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return FALLBACKS

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
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        await self.bridge.stop()

    def _begin(self) -> None:
        """After first paint: read, drive, and let time pass."""
        self.bridge.start()
        self.run_worker(self._start_engine(), group="engine")
        self.set_interval(1.0, self._tick)

    async def _start_engine(self) -> None:
        """The engine's own tasks are its own; this only sets it going."""
        try:
            if self.engine is None and self._make_engine is not None:
                self.engine = await engine_of(self.workspace, self._make_engine, self.complain)
            if self.engine is not None:
                await self.engine.start()
                self._engine_started = True
                self.bridge.follow(self.engine)
        except ApmError as error:
            self.complain(str(error))

    async def _take_over(self) -> None:
        """Whoever drove is gone: drive."""
        if self.engine is not None and await self.engine.start():
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
        if self.is_viewer and not self.bridge.is_driven:
            self.run_worker(self._take_over(), group="engine", exclusive=True)
        for screen in self.screen_stack:
            tick = getattr(screen, "tick", None)
            if tick is not None:
                tick(now)

    def now(self) -> int:
        """The store's clock, milliseconds since the epoch."""
        return self.workspace.store.clock()

    # What screens and panes use

    def tell(self, text: str) -> None:
        self.notify(sanitise(text, limit=500), markup=False, timeout=4)

    def complain(self, text: str) -> None:
        self.notify(sanitise(text, limit=500), severity="error", markup=False, timeout=12)

    def do(self, work: Callable[[Transaction], Any], done: str, then: Callable[[], None] | None = None) -> None:
        """Write, then say so and go on; or say why not."""
        self.run_worker(self._do(work, done, then), group="writes", exit_on_error=False)

    async def _do(self, work: Callable[[Transaction], Any], done: str, then: Callable[[], None] | None) -> None:
        try:
            await self.workspace.store.write(work)
        except ApmError as error:
            self.complain(str(error))
            return
        except Exception as error:
            # A fault of the program: what was asked for is not done, and everything else goes on.
            self.complain(f"That failed, and nothing was changed. {type(error).__name__}: {error}")
            return
        self.tell(done)
        if then is not None:
            then()

    def show_keys(self) -> None:
        """Footer: the keys of the place where the focus is."""
        for bar in self.screen.query(KeyBar):
            bar.places = self.places_here()

    def places_here(self) -> tuple[str, ...]:
        """The places around the focus, the nearest first."""
        return tuple(places_around(self.focused or self.screen))

    def open_question(self, escalation: int) -> None:
        from tui.screens.decision import Decision

        self.push_screen(Decision(escalation))

    def open_work_item(self, work_item: int) -> None:
        from tui.screens.work_item import WorkItemScreen

        self.push_screen(WorkItemScreen(work_item))

    # Actions that work everywhere

    def action_help(self) -> None:
        from tui.screens.help import HelpDialog

        self.push_screen(HelpDialog(self.places_here()))

    def action_commands(self) -> None:
        from tui.screens.palette import Palette

        places = places_around(self.focused or self.screen)

        def run(picked: Action | None) -> None:
            if picked is not None:
                self.run_worker(self.run_action(picked.handler, places[picked.place]), exit_on_error=False)

        self.push_screen(Palette(tuple(places)), run)

    def action_new_work_item(self) -> None:
        from tui.screens.new_work_item import write_work_item

        self.run_worker(write_work_item(self), group="dialogs", exit_on_error=False)

    async def action_next_for_me(self) -> None:
        """The next question in the queue's order; from a question, the one after it."""
        from tui.screens.decision import Decision
        from tui.widgets.queue import waiting_for_me

        if isinstance(self.screen, Decision):
            self.screen.go_on()
            return
        waiting = await self.bridge.read(lambda reader, _, now: waiting_for_me(reader, now))
        if waiting:
            self.open_question(waiting[0])
        else:
            self.tell("Nothing waits for you.")

    def action_toggle_theme(self) -> None:
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_toggle_ascii(self) -> None:
        self.ascii_glyphs = not self.ascii_glyphs

    def watch_ascii_glyphs(self) -> None:
        self.set_class(self.ascii_glyphs, "-ascii")
        ScrollBar.renderer = PlainBars if self.ascii_glyphs else ScrollBarRender
        for screen in self.screen_stack:
            for widget in screen.query("*"):
                widget.notify_style_update()
                widget.refresh()

    def _stop_for(self, number: int) -> None:
        self._leave(128 + number)

    async def action_quit(self) -> None:
        """Textual's own key for it (ctrl+q) leaves in the same good order."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Ctrl+c, which elsewhere ends a program."""
        self.tell("q quits.")

    def action_leave(self) -> None:
        live = self.engine.live() if self.engine is not None and self.engine.is_driving else None
        if live is None or not live.work_items:
            self._leave(0)
            return
        from tui.screens.choice import ConfirmDialog
        from tui.words import plural

        running = plural(len(live.work_items), "work item is running", "work items are running")
        text = f"{running}. What is recorded stays; the next start goes on from there."
        self.push_screen(
            ConfirmDialog("Stop and quit?", text, "Stop and quit", "Stay"), lambda yes: self._leave(0) if yes else None
        )

    def _leave(self, code: int) -> None:
        if not self._leaving:
            self._leaving = True
            self._stopping = asyncio.create_task(self._stop(code))

    async def _stop(self, code: int) -> None:
        try:
            if self.engine is not None:
                await asyncio.wait_for(self.engine.stop(), STOP_SECONDS)
        except (ApmError, TimeoutError):
            # Leaving is what was asked for; what did not stop in time is found again in the journal.
            pass
        finally:
            self.exit(code)


def run(folder: Path) -> int:
    """Open the app on a workspace; the exit code."""
    from core.workspace import Workspace

    workspace = Workspace.open(folder, team="as-known")
    app = ApmApp(workspace, make_engine=lambda known: make_engine(known, app.tell, app.complain))
    try:
        return app.run() or 0
    finally:
        workspace.close()
