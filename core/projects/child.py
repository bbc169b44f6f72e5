"""One running program: its output taken in as it comes, its end awaited or brought about.

Not asyncio's own subprocesses: a cancellation while one of those starts waits for ever, and quitting with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import IO, Any, Literal

from core.projects import processes

GRACE_SECONDS = 2.0
"""From SIGTERM to SIGKILL."""
DRAIN_SECONDS = 1.0
"""How long, after a program ended, its output may stay open before whoever holds it is killed."""
CHUNK_BYTES = 2**16

Leftovers = Literal["search", "group", "leave"]
"""What happens to processes that a command leaves running when it ends by itself.

`search`: killed, wherever they went. `group`: killed when they stayed in its process group or hold its output, which
saves a look at every process (some 40 µs each). `leave`: left alone, now and by `sweep_stale`.
"""


Undecodable = Literal["replace", "surrogateescape"]
"""What becomes of bytes that are no UTF-8: a mark that can be shown, or what `os.fsencode` makes the same bytes of."""


class Capture:
    """The head and the tail of a stream of any length, and the digest of the whole."""

    def __init__(self, limit: int) -> None:
        self.head_limit, self.tail_limit = limit - limit // 2, limit // 2
        self.head, self.tail = bytearray(), bytearray()
        self.dropped = 0
        self.digest = hashlib.sha256()

    def take(self, data: bytes) -> None:
        self.digest.update(data)
        room = self.head_limit - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        # The tail may grow to twice its size before it is cut: cutting at each chunk would move it all each time.
        if len(self.tail) > 2 * self.tail_limit:
            self._cut()

    def text(self, undecodable: Undecodable = "replace") -> str:
        self._cut()
        gap = f"\n[{self.dropped:,} bytes dropped here]\n".encode() if self.dropped else b""
        return bytes(self.head + gap + self.tail).decode("utf-8", undecodable)

    def _cut(self) -> None:
        excess = len(self.tail) - self.tail_limit
        if excess > 0:
            del self.tail[:excess]
            self.dropped += excess


class Child:
    """A program of one run. `start`, then `wait`, and `close` in any case; `kill` when it must not go on."""

    def __init__(self, run_id: str, output_bytes: int) -> None:
        self.run_id = run_id
        self.out, self.err = Capture(output_bytes), Capture(output_bytes)
        self.notes: list[str] = []
        self.timed_out = False
        self.seconds = 0.0
        self.exited, self.drained = asyncio.Event(), asyncio.Event()
        self.pipes: list[IO[bytes]] = []
        self.pidfd: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, argv: Sequence[str], cwd: str, environment: Mapping[str, str], stdin: bytes) -> None:
        """Start the program; raises OSError or ValueError when that cannot be done.

        There is no await in here, so no moment at which a cancellation could lose the program.
        """
        with _readable(stdin) as given:
            self.process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environment,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        for pipe, capture in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            asyncio.get_running_loop().add_reader(pipe.fileno(), self._read, pipe, capture)
            self.pipes.append(pipe)
        self._watch(self.process)

    async def wait(self, seconds: float, leftovers: Leftovers) -> None:
        """Until the program ended (or was ended) and its output is complete."""
        began = time.monotonic()
        self.timed_out = not await _within(seconds, self.exited)
        self.seconds = time.monotonic() - began
        if self.timed_out:
            self.notes.append(f"killed at the time limit of {seconds:g} s")
            await to_the_end(self.kill())
        drained = await _within(DRAIN_SECONDS, self.drained)
        if not self.timed_out and leftovers != "leave":
            await self._end_leftovers(search=leftovers == "search" or not drained)

    async def kill(self) -> None:
        """SIGTERM to everything that this run started, a short grace, then SIGKILL until nothing is left.

        Each is asked once: a second signal would come in the middle of what the first one set going.
        """
        tree = await asyncio.to_thread(processes.of_run, self.run_id)
        left = processes.outside(tree, self.process.pid) if self.process is not None else tree
        self._signal_group(signal.SIGTERM)
        processes.signal_all(left, signal.SIGTERM)
        await _within(GRACE_SECONDS, self.exited)
        self._signal_group(signal.SIGKILL)
        await asyncio.to_thread(processes.kill_until_none, lambda: processes.of_run(self.run_id))
        await _within(GRACE_SECONDS, self.exited)

    def close(self) -> None:
        """Stop listening to the program, whether or not it is still there."""
        for pipe in self.pipes:
            self._close_pipe(pipe)
        self._close_pidfd()

    @property
    def exit_code(self) -> int | None:
        return None if self.process is None or self.timed_out else self.process.returncode

    @property
    def output_digest(self) -> str:
        """SHA-256 over the SHA-256 of stdout followed by that of stderr, both as raw bytes."""
        return hashlib.sha256(self.out.digest.digest() + self.err.digest.digest()).hexdigest()

    async def _end_leftovers(self, *, search: bool) -> None:
        killed = self._signal_group(signal.SIGKILL)
        if search:
            killed |= await asyncio.to_thread(processes.kill_until_none, lambda: processes.of_run(self.run_id)) > 0
        if killed:
            self.notes.append("killed processes that the command had left running")
            await _within(DRAIN_SECONDS, self.drained)

    def _signal_group(self, number: signal.Signals) -> bool:
        return self.process is not None and processes.signal_group(self.process.pid, number)

    def _read(self, pipe: IO[bytes], capture: Capture) -> None:
        data = pipe.read(CHUNK_BYTES)
        if data:
            capture.take(data)
        elif data is not None:
            self._close_pipe(pipe)

    def _close_pipe(self, pipe: IO[bytes]) -> None:
        if not pipe.closed:
            asyncio.get_running_loop().remove_reader(pipe.fileno())
            pipe.close()
        if all(pipe.closed for pipe in self.pipes):
            self.drained.set()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Have `exited` set when the program ends: by a file descriptor where the system has that, else by a thread."""
        loop = asyncio.get_running_loop()
        try:
            self.pidfd = os.pidfd_open(process.pid)
        except (AttributeError, OSError):
            threading.Thread(target=_wait_in_thread, args=(process, loop, self.exited), daemon=True).start()
        else:
            loop.add_reader(self.pidfd, self._reap, process)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        self._close_pidfd()
        process.wait()
        self.exited.set()

    def _close_pidfd(self) -> None:
        if self.pidfd is not None:
            asyncio.get_running_loop().remove_reader(self.pidfd)
            os.close(self.pidfd)
            self.pidfd = None


def _wait_in_thread(process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, exited: asyncio.Event) -> None:
    process.wait()
    with contextlib.suppress(RuntimeError):  # the loop has ended before the program
        loop.call_soon_threadsafe(exited.set)


def _readable(data: bytes) -> IO[bytes]:
    """Standard input as a file: no pipe that a program which does not read could block."""
    if not data:
        return open(os.devnull, "rb")  # noqa: PTH123
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Whether the event happened in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work` even when the caller is cancelled meanwhile: half a kill leaves processes behind."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        raise
