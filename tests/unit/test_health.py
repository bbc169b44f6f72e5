"""A release is well when it says so itself, and somebody asks it again."""

from __future__ import annotations

import asyncio
import http.server
import json
import socket
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.agents import health
from core.agents.bench import Bench
from core.agents.health import MONITOR_FILE, probe, probe_monitor, verify_health
from core.contract import AgentRequest, AgentResponse, Json, Status


class Server(http.server.ThreadingHTTPServer):
    """Answers with its statuses one after the other, the last one for ever."""

    statuses: list[int]
    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        statuses = self.server.statuses
        status = 200 if self.path == "/well" else statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/well")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.statuses, server.asked = [200], []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(health, "PAUSES", (0.0, 0.0))
    for name in ("tree", "releases", "scratch"):
        (tmp_path / name).mkdir()
    return Bench(tmp_path / "tree", tmp_path / "releases", tmp_path / "scratch")


async def verify(bench: Bench, artifacts: list[str] | None = None, **settings: Json) -> AgentResponse:
    project = {"path": str(bench.tree()), "settings": settings, "tech": {"package": "rows"}}
    results = {
        "versioner": {"version": {"from": "1.2.0", "to": "1.3.0"}},
        "deploy-orchestrator": {"artifacts": [{"path": path, "digest": ""} for path in artifacts or []]},
    }
    context = {"project": project, "results": results}
    return await verify_health(AgentRequest("release-ops-orch", {}, context, "release.deployed"), bench)


def make_wheel(bench: Bench, source: str, version: str = "1.3.0") -> str:
    path = "1.3.0/rows-1.3.0-py3-none-any.whl"
    (bench.releases / "1.3.0").mkdir()
    with zipfile.ZipFile(bench.releases / path, "w") as wheel:
        wheel.writestr("rows/__init__.py", source)
        wheel.writestr("rows-1.3.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: rows\nVersion: {version}\n")
    return path


class TestAUrl:
    async def test_that_answers_is_healthy(self, bench: Bench, server: Server) -> None:
        response = await verify(bench, health={"url": f"{server.url}/v{{version}}"})

        assert response.status is Status.SUCCESS
        assert response.output_artifact["health"]["status"] == "healthy"
        assert response.output_artifact["health"]["response_ms"] > 0
        assert server.asked == ["/v1.3.0"]

    async def test_that_answers_at_the_third_try_is_healthy(self, bench: Bench, server: Server) -> None:
        server.statuses = [503, 500, 204]

        response = await verify(bench, health={"url": server.url})

        assert response.output_artifact["health"]["status"] == "healthy"
        assert response.output_artifact["reading"]["tries"] == 3

    async def test_that_fails_three_times_is_not(self, bench: Bench, server: Server) -> None:
        server.statuses = [503]

        response = await verify(bench, health={"url": server.url})

        assert response.status is Status.BLOCKED
        assert response.output_artifact["health"]["status"] == "unhealthy"
        assert response.output_artifact["monitoring"]["active"] is False
        assert "answers 503" in response.metadata["suggestion"]
        assert len(server.asked) == 3

    async def test_that_redirects_is_followed(self, bench: Bench, server: Server) -> None:
        server.statuses = [302]

        assert (await verify(bench, health={"url": server.url})).status is Status.SUCCESS
        assert server.asked == ["/", "/well"]

    async def test_where_nobody_listens_is_told_in_words(self, bench: Bench) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            response = await verify(bench, health={"url": f"http://127.0.0.1:{free.getsockname()[1]}"})

        assert response.status is Status.BLOCKED
        assert "refused" in response.metadata["suggestion"]

    @pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 2\r\n\r\n"])
    async def test_that_speaks_no_http_is_told_in_words(self, bench: Bench, answer: bytes) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def reply() -> None:
                for _ in range(3):
                    caller, _ = listener.accept()
                    with caller:
                        caller.recv(1024)
                        caller.sendall(answer)

            thread = threading.Thread(target=reply)
            thread.start()
            response = await verify(bench, health={"url": f"http://127.0.0.1:{listener.getsockname()[1]}"})
            thread.join()

        assert response.output_artifact["health"]["status"] == "unhealthy"

    async def test_that_never_ends_its_answer_is_left(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        left = asyncio.Queue[bytes]()

        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100)
            left.put_nowait((await reader.read()) or b"")
            writer.close()

        monkeypatch.setattr(health, "TIME_LIMIT", 0.2)
        async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            reading = await health.probe({"url": url}, bench, {}, pauses=())
            await left.get()

        assert reading.detail == f"{url} did not answer within 0.2 s."

    async def test_of_another_scheme_is_not_read(self, bench: Bench) -> None:
        response = await verify(bench, health={"url": "file:///etc/passwd"})

        assert "no http or https address" in response.metadata["suggestion"]


class TestACommand:
    async def test_that_ends_well_is_healthy(self, bench: Bench) -> None:
        command = ["{python}", "-c", "import sys; sys.exit(sys.argv[1] != '1.3.0')", "{version}"]

        response = await verify(bench, health={"command": command})

        assert response.status is Status.SUCCESS
        assert response.metadata["evidence"][0]["exit_code"] == 0

    async def test_that_fails_is_told_with_its_last_words(self, bench: Bench) -> None:
        response = await verify(bench, health={"command": [sys.executable, "-c", "raise SystemExit('queue is full')"]})

        assert response.status is Status.BLOCKED
        assert "queue is full" in response.metadata["suggestion"]
        assert len(response.metadata["evidence"]) == 3


class TestAWheel:
    async def test_that_imports_with_its_version_is_healthy(self, bench: Bench) -> None:
        wheel = make_wheel(bench, "answer = 42\n")

        response = await verify(bench, [wheel])

        assert response.status is Status.SUCCESS, response.metadata
        assert response.output_artifact["check"] == {"wheel": wheel, "package": "rows", "version": "1.3.0"}

    @pytest.mark.parametrize(
        ("source", "version", "words"),
        [
            ("import not_installed_anywhere\n", "1.3.0", "Set `python` to an interpreter that has the dependencies"),
            ("1/0\n", "1.3.0", "ZeroDivisionError"),
            ("", "1.2.0", "says it is version 1.2.0; released was 1.3.0"),
            ("import sys; sys.exit(0)\n", "1.3.0", "ended Python before its version was read"),
        ],
    )
    async def test_that_does_not_is_told_why(self, bench: Bench, source: str, version: str, words: str) -> None:
        response = await verify(bench, [make_wheel(bench, source, version)])

        assert response.status is Status.BLOCKED
        assert words in response.metadata["suggestion"]

    async def test_that_is_no_archive_is_told_in_words(self, bench: Bench) -> None:
        (bench.releases / "x.whl").write_text("no zip")

        assert "BadZipFile" in (await verify(bench, ["x.whl"])).metadata["suggestion"]


class TestAnArchive:
    async def test_that_opens_and_holds_the_version_is_healthy(self, bench: Bench) -> None:
        with tarfile.open(bench.releases / "rows.tar.gz", "w:gz") as archive:
            archive.add(__file__, "rows-1.3.0/test.py")

        assert (await verify(bench, ["rows.tar.gz"])).status is Status.SUCCESS

    async def test_is_read_beside_the_event_loop(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        threads: list[threading.Thread] = []

        def watched(path: Path) -> tuple[list[str], str | None]:
            threads.append(threading.current_thread())
            return names_in(path)

        names_in = health._names_in
        monkeypatch.setattr(health, "_names_in", watched)
        with zipfile.ZipFile(bench.releases / "rows.zip", "w") as archive:
            archive.writestr("rows-1.3.0/test.py", "")

        assert (await verify(bench, ["rows.zip"])).status is Status.SUCCESS
        assert threads
        assert threading.current_thread() not in threads

    async def test_of_another_version_is_not(self, bench: Bench) -> None:
        with tarfile.open(bench.releases / "rows.tar.gz", "w:gz") as archive:
            archive.add(__file__, "rows-1.2.0/test.py")

        assert "is not 1.3.0" in (await verify(bench, ["rows.tar.gz"])).metadata["suggestion"]


async def test_a_deployment_that_left_nothing_needs_a_configured_check(bench: Bench) -> None:
    response = await verify(bench)

    assert response.status is Status.BLOCKED
    assert "`health`" in response.metadata["suggestion"]


class TestTheMonitor:
    async def test_is_the_releases_own_check_with_its_first_reading(self, bench: Bench) -> None:
        await verify(bench, [make_wheel(bench, "")])

        monitor = json.loads((bench.releases / MONITOR_FILE).read_text())
        assert monitor["version"] == "1.3.0"
        assert monitor["every_hours"] > 0
        assert monitor["first_reading"]["ok"] is True

    async def test_can_be_asked_again(self, bench: Bench) -> None:
        wheel = make_wheel(bench, "")
        await verify(bench, [wheel])
        (bench.releases / wheel).unlink()

        found = await probe_monitor(bench, {"path": str(bench.tree())})

        assert found is not None
        assert found[1].ok is False

    async def test_that_is_configured_must_answer_now(self, bench: Bench, server: Server) -> None:
        wheel = make_wheel(bench, "")
        server.statuses = [404]

        response = await verify(bench, [wheel], monitor={"url": server.url})

        assert response.status is Status.BLOCKED
        assert response.missing == ["an active monitor"]
        assert response.output_artifact["health"]["status"] == "healthy"
        assert response.output_artifact["monitoring"]["active"] is False

    async def test_that_is_not_there_gives_no_reading(self, bench: Bench) -> None:
        assert await probe_monitor(bench, {}) is None


async def test_a_reading_says_when_it_was_made(bench: Bench) -> None:
    reading = await probe({"command": [sys.executable, "-c", ""]}, bench, {})

    assert reading.to_json()["at"].endswith("+00:00")
