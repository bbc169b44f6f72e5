"""Claude Code's process: what it is started with, how it is spoken to, and how it is ended with all its children.

It stands in for the SDK's own transport, which passes our whole environment on and can lose its child when a task is
cancelled. The API key travels over a pipe, so that no tool finds it in its environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import uuid
from asyncio.streams import FlowControlMixin
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

from core.contract import ApmError, Json
from core.projects import processes
from core.projects.child import to_the_end
from core.projects.commands import workspace_marks
from core.runtimes.claude_code.credentials import BY_NAME
from core.sanitise import one_line

LINE_BYTES = 2**26
GRACE_SECONDS = 2.0
END_SECONDS = 10.0
STDERR_CHARACTERS = 4_000

_PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
    "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
    "CLAUDE_CODE_MAX_RETRIES", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS",
)  # fmt: skip
BARE_SHELL = f"""#!/bin/sh
unset {" ".join(BY_NAME)}
exec /bin/bash -c "$1"
"""
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_UPDATES": "1",
    "DISABLE_GROWTHBOOK": "1",
    "CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY": "1",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
    "CLAUDE_BASH_MAINTAIN_PROJECT_WORKING_DIR": "1",
    "CLAUDE_CODE_SDK_READS_SESSION_STATE": "1",
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_CODE_MAX_RETRIES": "3",
}
_GIT = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "commit.gpgsign": "false",
    "core.pager": "cat",
}
"""Git inside of the session: none of the repository's programs run, whoever configured them."""


class CliEnded(ApmError):
    """Claude Code ended, or could not be started, without saying how its work came out."""

    def __init__(self, code: int | None, said: str) -> None:
        what = "did not go on" if code is None else f"ended with exit code {code}"
        super().__init__(f"Claude Code {what}: {said or 'it gave no reason'}")
        self.code, self.said = code, said


def environment(environ: Mapping[str, str], home: Path, scratch: Path, author: str, mail: str) -> dict[str, str]:
    """All that Claude Code and its tools see. What it can read from a pipe is not in it."""
    settings = [(f"GIT_CONFIG_KEY_{n}", key) for n, key in enumerate(_GIT)]
    settings += [(f"GIT_CONFIG_VALUE_{n}", value) for n, value in enumerate(_GIT.values())]
    people = {f"GIT_{who}_NAME": author for who in ("AUTHOR", "COMMITTER")}
    people |= {f"GIT_{who}_EMAIL": mail for who in ("AUTHOR", "COMMITTER")}
    shell = {"CLAUDE_CODE_SHELL_PREFIX": str(bare_shell(home))} if any(environ.get(name) for name in BY_NAME) else {}
    return {
        **_QUIET,
        **shell,
        **{name: environ[name] for name in _PASSED_ON if environ.get(name)},
        **people,
        **dict(settings),
        "GIT_CONFIG_COUNT": str(len(_GIT)),
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": str(home / "user"),
        "CLAUDE_CONFIG_DIR": str(home / "config"),
        "CLAUDE_CODE_TMPDIR": str(scratch),
        "TMPDIR": str(scratch),
    }


def bare_shell(home: Path) -> Path:
    """The program that starts a shell without credentials."""
    return home / "bare-shell"


class Cli:
    """The SDK's transport, over a process of ours. `argv` without the program's own way of speaking.

    `secrets` are handed over by pipes, under the name of the variable that says which.
    """

    def __init__(self, argv: Sequence[str], cwd: Path, environ: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        self._argv = [*argv, "--output-format", "stream-json", "--input-format", "stream-json", "--verbose"]
        self._cwd, self._secrets = cwd, dict(secrets)
        self._run = uuid.uuid4().hex
        self._environ = {**environ, **workspace_marks(self._run)}
        self._process: subprocess.Popen[bytes] | None = None
        self._out, self._err = asyncio.StreamReader(limit=LINE_BYTES), asyncio.StreamReader()
        self._pipes: list[asyncio.BaseTransport] = []
        self._in: asyncio.StreamWriter | None = None
        self._complaints: asyncio.Task[bytes] | None = None
        self.concluded = False
        """Whether it has given a result."""
        self.ended: CliEnded | None = None
        """How it ended, where it ended badly."""

    async def connect(self) -> None:
        self._start()
        process, loop = self._process, asyncio.get_running_loop()
        assert process is not None
        for pipe, reader in ((process.stdout, self._out), (process.stderr, self._err)):
            opened, _ = await loop.connect_read_pipe(lambda r=reader: asyncio.StreamReaderProtocol(r), pipe)  # type: ignore[misc]
            self._pipes.append(opened)
        transport, protocol = await loop.connect_write_pipe(FlowControlMixin, process.stdin)
        self._in = asyncio.StreamWriter(transport, protocol, None, loop)
        self._complaints = asyncio.create_task(_tail(self._err))

    def _start(self) -> None:
        """No await in here, so no moment at which a cancellation could lose the process."""
        environ = dict(self._environ)
        passed: list[int] = []
        try:
            for name, secret in self._secrets.items():
                reading, writing = os.pipe()
                passed.append(reading)
                # Shorter than any pipe holds, so this does not wait for a reader.
                os.write(writing, secret.encode()[:4_096])
                os.close(writing)
                environ[name] = str(reading)
            self._process = subprocess.Popen(
                self._argv,
                cwd=self._cwd,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                pass_fds=passed,
            )
        except OSError as error:
            raise CliEnded(None, f"{self._argv[0]} could not be started: {error}") from error
        finally:
            for descriptor in passed:
                os.close(descriptor)

    async def write(self, data: str) -> None:
        if self._in is None or self._in.is_closing():
            raise CliEnded(None, "it takes no more input")
        self._in.write(data.encode())
        await self._in.drain()

    async def read_messages(self) -> AsyncIterator[Json]:
        """What it says, line by line; raises CliEnded when it ends badly, or without a result."""
        while line := await self._out.readline():
            if line.startswith(b"{"):
                message = self._message(line)
                self.concluded |= message.get("type") == "result"
                yield message
        code = await self._ended()
        if code != 0 or not self.concluded:
            self.ended = CliEnded(code, await self._said())
            raise self.ended

    def _message(self, line: bytes) -> Json:
        try:
            message: Json = json.loads(line)
        except (ValueError, RecursionError):
            self.ended = CliEnded(None, f"it told what is no JSON: {one_line(line[:200].decode('utf-8', 'replace'))}")
            raise self.ended from None
        return message

    async def _said(self) -> str:
        """The end of what it wrote to standard error."""
        said = await self._complaints if self._complaints is not None else b""
        return one_line(said.decode("utf-8", "replace"), 500)

    async def end_input(self) -> None:
        if self._in is not None:
            self._in.close()

    def is_ready(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def close(self) -> None:
        """End it with everything that it started, whoever is cancelled meanwhile."""
        await to_the_end(self._close())

    async def _close(self) -> None:
        if self._process is not None:
            if self._in is not None:
                self._in.close()
            await self._kill()
        for pipe in self._pipes:
            pipe.close()
        if self._complaints is not None:
            self._complaints.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._complaints
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr) if self._process else ():
            if stream is not None:
                stream.close()

    async def _kill(self) -> None:
        process = self._process
        assert process is not None
        if self.concluded:
            # It writes the end of its session once its input has ended.
            await self._ended()
        if process.poll() is None:
            tree = await asyncio.to_thread(processes.of_run, self._run)
            processes.signal_all(tree, SIGTERM)
            processes.signal_group(process.pid, SIGTERM)
            await self._ended(GRACE_SECONDS)
        processes.signal_group(process.pid, SIGKILL)
        await asyncio.to_thread(processes.kill_until_none, lambda: processes.of_run(self._run))
        await asyncio.to_thread(process.wait)

    async def _ended(self, seconds: float = END_SECONDS) -> int | None:
        """Its exit code, None when it is still there after so many seconds."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return await asyncio.to_thread(self._process.wait, seconds)
        return None


async def _tail(reader: asyncio.StreamReader) -> bytes:
    kept = b""
    while data := await reader.read(2**16):
        kept = (kept + data)[-STDERR_CHARACTERS:]
    return kept


def bundled(sdk: Any) -> Path:
    """The Claude Code that came with the SDK."""
    return Path(sdk.__file__).parent / "_bundled" / "claude"
