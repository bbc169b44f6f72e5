"""A real Chromium without a window, driven over the DevTools protocol: it opens `apm serve`, types, and looks."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.app.driving import app_of
from tests.app.seeding import SeededWorkspace
from tests.terminal.tty import LOOK_EVERY_SECONDS, PATIENCE_SECONDS, ROOT
from tui.serving import session
from tui.serving.site import listening

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--mute-audio")
CELL, MARGIN = (9.5, 21), 6
"""Pixels of a cell at the page's usual font size, and what is left beside all of them."""
KEEP_THE_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {
  configurable: true,
  set(value) {
    Object.defineProperty(this, "terminal", { value, writable: true, configurable: true, enumerable: true });
    if (value && value.buffer) window.shownTerminal = value;
  },
});
"""
"""The page keeps its terminal to itself and draws it as a picture; this is where its cells can be read."""
LOOKS_AT_REST = 20
READ_THE_TERMINAL = """
(() => {
  const { buffer: { active } = {}, rows = 0 } = window.shownTerminal || {};
  return Array.from({ length: rows }, (_, y) => active.getLine(y).translateToString(true)).join("\\n");
})()
"""
SHIFT = 8
NAMED = {"space": (" ", "Space", 32), "enter": ("\r", "Enter", 13), "escape": ("", "Escape", 27), "tab": ("", "Tab", 9)}
"""Keys with a name of their own: the text they write, the browser's code and number for them."""


def chromium() -> str | None:
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class Served:
    """A running `apm serve`."""

    process: subprocess.Popen[str]
    url: str

    @property
    def base(self) -> str:
        """The address without its key, as an origin is written."""
        return self.url.partition("/?")[0]


@contextmanager
def served(workspace: Path, *options: str) -> Iterator[Served]:
    """`apm serve` on the workspace, once it can be reached; ended at the end."""
    command = [sys.executable, "-m", "tui.cli.main", "--workspace", str(workspace), "serve", "--json", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield Served(process, _document(process)["url"])
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def _document(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The one document on its standard output, as soon as it is whole."""
    assert process.stdout is not None
    lines = ""
    for line in process.stdout:
        lines += line
        if line.rstrip() == "}":
            document: dict[str, Any] = json.loads(lines)
            return document
    raise AssertionError(f"apm serve ended before it served: {lines!r}")


class Page:
    """A page, driven by messages to and from the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket, self._session = socket, session
        self._numbers = itertools.count(1)

    async def call(self, method: str, **parameters: Any) -> Any:
        return await call(self._socket, next(self._numbers), method, parameters, self._session)

    async def value_of(self, expression: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def screen(self) -> str:
        return str(await self.value_of(READ_THE_TERMINAL) or "")

    async def press(self, *keys: str) -> None:
        for key in keys:
            text, code, number = NAMED.get(key, (key, f"Key{key.upper()}", ord(key[0].upper())))
            named = {"key": text if len(key) == 1 or key == "space" else code, "windowsVirtualKeyCode": number}
            held = {"modifiers": SHIFT if key.isupper() else 0}
            await self.call("Input.dispatchKeyEvent", type="rawKeyDown", code=code, **named, **held)
            if text:
                await self.call("Input.dispatchKeyEvent", type="char", text=text, key=text, **held)
            await self.call("Input.dispatchKeyEvent", type="keyUp", code=code, **named, **held)

    async def wait_for(self, *texts: str) -> str:
        """The screen, once it shows every one of these texts."""
        return str(await until(self.screen, lambda shown: shown and all(text in shown for text in texts)))

    async def wait_for_other(self, before: str) -> str:
        """The screen, once it shows something else."""
        return str(await until(self.screen, lambda shown: shown != before))

    async def wait_until(self, expression: str) -> None:
        """Return once a JavaScript expression holds in the page."""
        await until(lambda: self.value_of(expression), bool)

    async def wait_for_rest(self) -> str:
        """The screen, once it has shown the same for a while."""
        seen: list[str] = []

        def is_at_rest(shown: str) -> bool:
            seen.append(shown)
            return len(seen) > LOOKS_AT_REST and set(seen[-LOOKS_AT_REST:]) == {shown}

        return str(await until(self.screen, is_at_rest))

    async def picture(self) -> bytes:
        """A PNG of the page."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])


async def until(look: Callable[[], Awaitable[Any]], holds: Callable[[Any], object]) -> Any:
    """What is seen, once it is as wanted."""
    seen = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                seen = await look()
                if holds(seen):
                    return seen
                await asyncio.sleep(LOOK_EVERY_SECONDS)
    except TimeoutError:
        raise AssertionError(f"the browser never showed what was waited for; it shows:\n{seen}") from None


async def call(
    socket: aiohttp.ClientWebSocketResponse,
    number: int,
    method: str,
    parameters: Mapping[str, Any],
    session: str | None = None,
) -> Any:
    """The result of one call; what the browser tells beside it is passed over."""
    at = {} if session is None else {"sessionId": session}
    await socket.send_json({"id": number, "method": method, "params": parameters, **at})
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (answer := await socket.receive_json()).get("id") != number or answer.get("sessionId") != session:
            continue
    if "error" in answer:
        raise AssertionError(f"{method}: {answer['error']['message']}")
    return answer["result"]


@asynccontextmanager
async def browser_at(url: str, size: tuple[int, int] = (1240, 800), scale: float = 1) -> AsyncIterator[Page]:
    """A browser with one page that is loading the address; `size` is the page's, in pixels."""
    program = chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        look = (f"--window-size={size[0]},{size[1]}", f"--force-device-scale-factor={scale:g}")
        flags = (*FLAGS, *look, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank")
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(program, *flags, stdout=quiet, stderr=asyncio.subprocess.PIPE)
        try:
            address = await _devtools(process)
            async with aiohttp.ClientSession() as client, client.ws_connect(address, max_msg_size=0) as socket:
                page = await _opened(socket)
                await page.call("Page.enable")
                await page.call("Page.addScriptToEvaluateOnNewDocument", source=KEEP_THE_TERMINAL)
                await page.call("Page.navigate", url=url)
                yield page
                await call(socket, 0, "Browser.close", {})
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def _devtools(process: asyncio.subprocess.Process) -> str:
    """The address at which the browser takes orders; it tells it on its standard error."""
    assert process.stderr is not None
    said = ""
    async for line in process.stderr:
        said += line.decode(errors="replace")
        if line.startswith(b"DevTools listening on "):
            return said.split()[-1]
    raise AssertionError(f"the browser did not start: {said}")


async def _opened(socket: aiohttp.ClientWebSocketResponse) -> Page:
    target = await call(socket, 0, "Target.createTarget", {"url": "about:blank"})
    attached = await call(socket, 0, "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
    return Page(socket, attached["sessionId"])


def browser_screenshot(workspace: Path, path: Path, *keys: str, columns: int = 120, rows: int = 36) -> None:
    """Write a PNG of the app as a browser shows it, on a seeded workspace that nobody has open, under its clock.

    The keys are pressed one after the other, each once the one before has changed the screen.
    """

    async def draw() -> bytes:
        size = (round(columns * CELL[0]) + MARGIN, round(rows * CELL[1]) + MARGIN)
        command = session.shell_command("tests.terminal.browser", "show_seeded", workspace)
        async with listening(command, workspace.name, "127.0.0.1", 0) as url, browser_at(url, size, scale=2) as page:
            await page.wait_for("? help")
            shown = await page.wait_for_rest()
            for key in keys:
                await page.press(key)
                await page.wait_for_other(shown)
                shown = await page.wait_for_rest()
            return await page.picture()

    path.write_bytes(asyncio.run(draw()))


def show_seeded(folder: str) -> int:
    """The app on a seeded workspace, whose clock stands still; nothing drives it."""
    made = SeededWorkspace(Path(folder))
    try:
        return app_of(made).run() or 0
    finally:
        made.close()
