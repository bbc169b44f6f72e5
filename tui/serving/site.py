"""The server behind `apm serve`: textual-serve, with a guard at the door, a page of our own and an orderly end."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.server import Server

from core.contract import ApmError
from tui.serving import session
from tui.serving.access import Access, access_on, address

logger = logging.getLogger(__name__)

PAGES = Path(__file__).parent / "page"
MOST_APPS = 16
"""Apps open at once; each is a process of some 80 MB."""
USUAL_SIZE = (80, 24)
MOST_MESSAGE = 2**20
"""Bytes of one message of a browser's: a large paste, and no more."""
APP_STOP_SECONDS = 15.0
"""How long an app whose browser has gone may take to stop its engine before it is killed."""
GOODBYE_SECONDS = 2.0
"""How long a browser may take to agree that its connection is closed."""
HEARTBEAT_SECONDS = 15.0
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The terminal sets its styles inline; nothing else comes from elsewhere."""
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Opened(AppService):
    """One app. It ends with its connection, and within a time."""

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        return {**super()._build_environment(width, height), "TEXTUAL_DRIVER": session.DRIVER}

    async def run(self) -> None:
        await super().run()
        await self.remote_close()

    async def stop(self) -> None:
        process, running = self._process, self._task
        if process is None or running is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        # The end of its input is the app's word to leave.
        self.stdin.close()
        try:
            async with asyncio.timeout(APP_STOP_SECONDS):
                await asyncio.shield(running)
                await process.wait()
        except TimeoutError:
            logger.warning("an app in a browser did not stop within %g s and was killed", APP_STOP_SECONDS)
            process.kill()
            await process.wait()


class Site(Server):
    """`name` is what the page calls the workspace."""

    def __init__(self, command: str, name: str, access: Access) -> None:
        super().__init__(command, title=name, templates_path=PAGES)
        self._access = access
        self._sockets: set[web.WebSocketResponse] = set()
        self.cookie = f"apm-{secrets.token_hex(4)}"
        """Named anew each time: cookies of one host are shared by all its ports."""

    async def make_app(self) -> web.Application:
        app = await self._make_app()
        app.middlewares.append(self._guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """The command says where it serves; a banner would break its document."""

    async def on_shutdown(self, app: web.Application) -> None:
        await asyncio.gather(*(s.close(code=WSCloseCode.GOING_AWAY) for s in self._sockets), return_exceptions=True)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        is_open = request.path.startswith("/static/")
        reason = self._access.refusal(
            request.headers.get("Host", ""),
            request.headers.get("Origin"),
            self._access.key if is_open else request.query.get("key") or request.cookies.get(self.cookie),
            own_page_only=request.path == "/ws",
        )
        if reason is not None:
            return web.Response(status=403, text=f"{reason}\n", headers=HEADERS)
        return await handler(request)

    async def handle_index(self, request: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        context = {
            "title": f"apm · {self.title}",
            "name": self.title,
            "nonce": nonce,
            "socket": f"ws://{request.host}/ws",
            "font_size": _whole(request.query.get("fontsize"), 16),
        }
        page = aiohttp_jinja2.render_template("app_index.html", request, context)
        page.headers.update(HEADERS)
        page.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce, host=request.host)
        page.set_cookie(self.cookie, self._access.key, httponly=True, samesite="Strict", path="/")
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        if len(self._sockets) >= MOST_APPS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_APPS} apps are open already; close one of them.\n")
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, timeout=GOODBYE_SECONDS, max_msg_size=MOST_MESSAGE, compress=False
        )
        self._sockets.add(socket)
        try:
            await socket.prepare(request)
            await self._show(socket, [_whole(request.query.get(side)) for side in ("width", "height")])
        finally:
            self._sockets.discard(socket)
        return socket

    async def _show(self, socket: web.WebSocketResponse, size: list[int]) -> None:
        async def close() -> None:
            await socket.close()

        app = Opened(
            self.command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        try:
            await app.start(*(size if session.is_size(*size) else USUAL_SIZE))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await _pass_on(message.data, socket, app)
        finally:
            await app.stop()


async def _pass_on(text: str, socket: web.WebSocketResponse, app: AppService) -> None:
    """What the page says, to the app; what no page of ours says is passed over."""
    match _parsed(text):
        case ["stdin", str() as typed]:
            await app.send_bytes(typed.encode("utf-8", "replace"))
        case ["resize", {"width": int() as width, "height": int() as height}] if session.is_size(width, height):
            await app.set_terminal_size(width, height)
        case ["ping", str() as sent]:
            await socket.send_json(["pong", sent])
        case ["blur"]:
            await app.blur()
        case ["focus"]:
            await app.focus()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _whole(text: str | None, otherwise: int = 0) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise


@asynccontextmanager
async def listening(command: str, name: str, host: str, port: int) -> AsyncIterator[str]:
    """Serve what a shell command opens; the address, key included, at which a browser finds it.

    Raises ApmError when the host and port cannot be listened on.
    """
    access = access_on(host)
    app = await Site(command, name, access).make_app()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=APP_STOP_SECONDS + GOODBYE_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            free = " Another `--port`, or 0 for any free one, may do." if port else ""
            raise ApmError(f"{host}, port {port}, cannot be served on: {error.strerror or error}.{free}") from None
        yield address(host, runner.addresses[0][1], access.key)
    finally:
        await runner.cleanup()


async def serve(workspace: Path, host: str, port: int, opened: Callable[[str], None]) -> None:
    """Serve the workspace's app until a signal to stop; `opened` is told the address once it can be reached."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listening(session.command(workspace), workspace.name, host, port) as at:
        opened(at)
        await stop.wait()
