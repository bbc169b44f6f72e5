"""`apm serve`: the app in a browser, over real sockets; keys and pictures in a real Chromium."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from core.orchestration import work_items
from core.store import reads, reads_escalations
from core.store.store import Store
from core.store.transaction import Transaction
from tests.app.busy import busy
from tests.terminal.browser import Served, browser_at, browser_screenshot, chromium, served
from tests.terminal.tty import PATIENCE_SECONDS, ROOT, wait_until

needs_chromium = pytest.mark.skipif(
    chromium() is None, reason="no Chromium is installed, and a real one is what drives"
)
PNG = b"\x89PNG\r\n\x1a\n"
BYTES_OF_A_DRAWN_SCREEN = 30_000
"""A picture of an empty page is smaller by far."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace in a folder whose name a shell would take apart; nothing in it runs by itself."""
    made = tmp_path / 'it\'s $HOME; "ours"'
    made.mkdir()
    seeded = busy(made)
    seeded.at(0, pause_all)
    seeded.close()
    shutil.copy(ROOT / "agents.yaml", made / "agents.yaml")
    return made


def pause_all(tx: Transaction) -> None:
    for item in reads.work_items(tx, limit=100, unfinished_only=True):
        if item.facts.paused_at is None:
            work_items.pause(tx, item.id, by="ada")


@pytest.fixture
def site(folder: Path) -> Iterator[Served]:
    with served(folder) as running:
        yield running


@asynccontextmanager
async def guest() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that keeps cookies as a browser does."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=timeout) as client:
        yield client


async def refusal(site: Served, headers: dict[str, str], *, knows_key: bool = True) -> tuple[int, str]:
    """What a WebSocket with these headers is answered."""
    async with guest() as client:
        if knows_key:
            await (await client.get(site.url)).read()
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        answer = await client.get(
            f"{site.base}/ws", headers={**upgrade, "Sec-WebSocket-Key": "A" * 22 + "==", **headers}
        )
        return answer.status, await answer.text()


@asynccontextmanager
async def connection(site: Served) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """What the page opens: a connection with an app at its other end."""
    async with guest() as client:
        await (await client.get(site.url)).read()
        address = f"{site.base}/ws?width=120&height=36"
        async with client.ws_connect(address, headers={"Origin": site.base}, autoclose=True) as socket:
            yield socket


async def bytes_until(socket: aiohttp.ClientWebSocketResponse, text: str) -> bytes:
    """What the app draws, up to this text."""
    drawn = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while text.encode() not in drawn:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, message
            drawn += message.data
    return drawn


def children(site: Served) -> list[psutil.Process]:
    return psutil.Process(site.process.pid).children(recursive=True)


def are_gone(processes: list[psutil.Process]) -> bool:
    return wait_until(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes))


async def test_the_page_is_there_and_needs_nothing_from_elsewhere(site: Served) -> None:
    async with guest() as client:
        page = await client.get(site.url)

        assert page.status == 200
        assert "it&#39;s $HOME; &#34;ours&#34;" in await page.text()
        assert "//fonts." not in await page.text()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


async def test_a_connection_draws_the_app_and_takes_keys(site: Served) -> None:
    async with connection(site) as socket:
        await bytes_until(socket, "Sign in with a hardware key")

        await socket.send_json(["stdin", "?"])

        await bytes_until(socket, "Keys here")


async def test_what_no_page_of_ours_would_send_changes_nothing(site: Served) -> None:
    async with connection(site) as socket:
        await bytes_until(socket, "hardware key")

        for junk in ("{", "[]", '["resize", {"width": -1, "height": 1e99}]', '["resize"]', '["stdin", 3]', "[" * 9_000):
            await socket.send_str(junk)
        await socket.send_json(["resize", {"width": 40, "height": 12}])

        await bytes_until(socket, "2 ")
        await socket.send_json(["ping", "7"])
        while (message := await socket.receive()).type is not aiohttp.WSMsgType.TEXT:
            assert message.type is aiohttp.WSMsgType.BINARY
        assert message.json() == ["pong", "7"]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Origin": "http://evil.example"}, "another site"),
        ({"Origin": "null"}, "another site"),
        ({}, "another site"),
        ({"Origin": "http://localhost:1"}, "another site"),
        ({"Origin": "http://rebound.example", "Host": "rebound.example"}, "not called"),
    ],
)
async def test_a_page_of_another_site_cannot_drive_it(site: Served, headers: dict[str, str], reason: str) -> None:
    status, text = await refusal(site, headers)

    assert status == 403
    assert reason in text
    assert children(site) == []


async def test_without_the_key_nothing_opens(site: Served) -> None:
    async with guest() as client:
        page = await client.get(f"{site.base}/?key=guessed")

        assert page.status == 403
        assert "terminal" not in await page.text()
    assert (await refusal(site, {"Origin": site.base}, knows_key=False))[0] == 403
    assert children(site) == []


async def test_closing_the_page_ends_its_app_in_good_order(site: Served) -> None:
    async with connection(site) as socket:
        await bytes_until(socket, "hardware key")
        [app] = children(site)

    assert await asyncio.to_thread(are_gone, [app])
    assert site.process.poll() is None


@needs_chromium
async def test_the_page_says_when_the_app_has_ended(site: Served) -> None:
    async with browser_at(site.url) as page:
        await page.wait_for("hardware key")

        await page.press("q")

        await page.wait_until("document.body.classList.contains('-closed')")
        await page.press("enter")
        await page.wait_until("document.body.classList.contains('-first-byte')")
        await page.wait_for("hardware key")


async def test_q_closes_the_connection(site: Served) -> None:
    async with connection(site) as socket:
        await bytes_until(socket, "hardware key")

        await socket.send_json(["stdin", "q"])

        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
                continue
        assert socket.closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
async def test_the_end_of_the_server_leaves_no_process(site: Served, number: signal.Signals) -> None:
    async with connection(site) as socket:
        await bytes_until(socket, "hardware key")
        apps = children(site)

        site.process.send_signal(number)
        while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
            continue
        code = await asyncio.to_thread(site.process.wait, PATIENCE_SECONDS)

    assert code == (0 if number is not signal.SIGKILL else -signal.SIGKILL)
    assert len(apps) == 1
    assert await asyncio.to_thread(are_gone, apps)


async def test_a_workspace_that_is_gone_is_said_in_the_page(site: Served, folder: Path) -> None:
    (folder / "state" / "apm.db").write_bytes(b"no database any more")

    async with connection(site) as socket:
        await bytes_until(socket, "apm: ")


def apm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tui.cli.main", *map(str, words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS)


def test_a_port_in_use_is_a_sentence(site: Served, folder: Path) -> None:
    port = site.base.rpartition(":")[2]

    ended = apm("--workspace", folder, "serve", "--port", port)

    assert ended.returncode == 1
    assert f"apm: 127.0.0.1, port {port}, cannot be served on: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_that_is_no_workspace_is_said(tmp_path: Path) -> None:
    ended = apm("--workspace", tmp_path / "none", "serve")

    assert ended.returncode == 2
    assert "is no workspace" in ended.stderr


def test_an_address_beyond_this_machine_comes_with_a_warning(folder: Path) -> None:
    argv = [sys.executable, "-m", "tui.cli.main", "--workspace", str(folder), "serve", "--host", "0.0.0.0"]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline()
    process.terminate()
    said = process.communicate(timeout=PATIENCE_SECONDS)[1]

    assert address.startswith("http://")
    assert "can answer in the name of" in said


@needs_chromium
async def test_a_person_answers_a_question_in_a_browser(site: Served, folder: Path) -> None:
    async with browser_at(site.url) as page:
        await page.wait_for("? help", "hardware key")
        assert await page.value_of("location.search") == "", "the key stays out of the address bar"

        await page.press("3", "space")
        await page.wait_for("Which scheme shall sign-in use", "recommended")
        await page.press("a")
        assert await asyncio.to_thread(wait_until, lambda: answer_of(folder, 2) == "passkeys")


@needs_chromium
async def test_the_browser_shows_what_another_process_writes(site: Served, folder: Path) -> None:
    async with browser_at(site.url) as page:
        await page.wait_for("hardware key")

        done = await asyncio.to_thread(apm, "--workspace", folder, "work-item", "create", "Written elsewhere")

        assert done.returncode == 0
        await page.wait_for("Written elsewhere")


@needs_chromium
async def test_there_is_no_editor_in_a_browser_and_that_is_said(site: Served) -> None:
    async with browser_at(site.url) as page:
        await page.wait_for("hardware key")
        await page.press("space")
        await page.wait_for("Which scheme shall sign-in use", "recommended")
        await page.press("space")
        await page.wait_for("D1 Definition: 4 of 4 criteria", "Supply what is missing", "recommended")

        await page.press("E")

        await page.wait_for("An editor needs a terminal")


@needs_chromium
def test_the_browsers_picture_is_the_app(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "web.png"

    browser_screenshot(folder, picture)

    assert picture.read_bytes().startswith(PNG)
    assert picture.stat().st_size > BYTES_OF_A_DRAWN_SCREEN


def answer_of(folder: Path, question: int) -> str | None:
    with Store.open(folder / "state") as store:
        answers = store.read_now(lambda r: reads_escalations.answers(r, question))
    return answers[-1].option if answers else None
