"""A text in the person's own editor, while everything else goes on."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from core.contract import ApmError
from core.sanitise import one_line, sanitise

if TYPE_CHECKING:
    from tui.app import ApmApp

VARIABLES = ("VISUAL", "EDITOR")
"""Where a person says which editor is theirs, in the order in which they count."""
USUAL = ("nano", "vi", "vim", "emacs")
"""What is looked for where they do not say; the first that is installed."""
MOST_BYTES = 2_000_000
END_SECONDS = 2.0
"""How long an editor may take to end when the app has to."""


class CannotEdit(ApmError):
    """Why no text came back; the sentence is for the person."""


async def edit_text(app: ApmApp, text: str, *, suffix: str = ".yaml", what: str = "the text") -> str | None:
    """The text as the person left it in their editor, cleaned of what a terminal obeys.

    None when it came back unchanged or not at all; the app has said so. `what` names the text in such sentences.
    """
    try:
        edited = await _edited(app, editor_command(os.environ), text, suffix, what)
    except CannotEdit as error:
        app.complain(str(error))
        return None
    if edited is None:
        app.tell(f"Nothing was changed in the editor: {what} is as it was.")
        return None
    return sanitise(edited, limit=MOST_BYTES)


def editor_command(environment: Mapping[str, str]) -> list[str]:
    """The words of the command that opens the person's editor. Raises CannotEdit when there is none to be found."""
    for variable in VARIABLES:
        said = environment.get(variable, "").strip()
        if not said:
            continue
        try:
            words = shlex.split(said)
        except ValueError:
            raise CannotEdit(f"${variable} is {one_line(said, 80)!r}, which leaves a quote open; correct it.") from None
        if not words or shutil.which(words[0], path=environment.get("PATH")) is None:
            name = one_line(words[0] if words else said, 80)
            raise CannotEdit(
                f"The editor {name!r} that ${variable} names is not installed; set ${variable} to one that is."
            )
        return words
    found = next((name for name in USUAL if shutil.which(name, path=environment.get("PATH"))), None)
    if found is None:
        raise CannotEdit(f"No editor is found ({', '.join(USUAL)}); set $EDITOR to yours.")
    return [found]


async def _edited(app: ApmApp, command: Sequence[str], text: str, suffix: str, what: str) -> str | None:
    """The new text, or None where it is the old one. What cannot be used, but was written, is kept where it is."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="apm-"))
    except OSError as error:
        raise CannotEdit(f"There is no place for a file to edit: {error}.") from None
    path = folder / f"apm{suffix}"
    before, spoiled = text.encode(), False
    try:
        _write_private(path, before)
        code = await _run(app, [*command, str(path)])
        spoiled = True
        after = _read(path, command[0], code, before, what)
        spoiled = False
        return None if after == before else after.decode()
    except CannotEdit as error:
        if spoiled and path.exists():
            raise CannotEdit(f"{error} What was written is kept in {path}.") from None
        raise
    finally:
        if not (spoiled and path.exists()):
            shutil.rmtree(folder, ignore_errors=True)


def _write_private(path: Path, content: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise CannotEdit(f"The file to edit cannot be written: {error}.") from None


def _read(path: Path, editor: str, code: int, before: bytes, what: str) -> bytes:
    """What the editor left in the file. Raises CannotEdit when it failed, or when that is no text of ours."""
    try:
        with path.open("rb") as file:
            after = file.read(MOST_BYTES + 1)
    except OSError:
        raise CannotEdit(f"The editor left no file behind: {what} is as it was.") from None
    if code:
        # Leaving with a failure is how an editor is told to forget it all; then the file is mostly as it was.
        path.unlink() if after == before else None
        how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        raise CannotEdit(f"{one_line(Path(editor).name, 40)} {how}: {what} is as it was.")
    if len(after) > MOST_BYTES:
        raise CannotEdit(f"That is longer than {MOST_BYTES // 1_000_000} MB: {what} is as it was.")
    try:
        after.decode()
    except UnicodeDecodeError as error:
        line = after[: error.start].count(b"\n") + 1
        raise CannotEdit(f"Line {line} is not UTF-8, so the text cannot be read: {what} is as it was.") from None
    return after


async def _run(app: ApmApp, command: Sequence[str]) -> int:
    """The editor's exit code. It has the terminal to itself, and its keys are its own.

    The event loop goes on meanwhile. Nothing may be drawn then: Textual's queue of output has no reader while the app
    is suspended, and would stop the loop for good once it is full, so all drawing is held back as one batch.
    """
    try:
        with app.suspend(), app.batch_update():
            try:
                # With the person's whole environment: an editor is theirs, and needs what they gave it.
                process = await asyncio.create_subprocess_exec(*command)
            except OSError as error:
                # Within, because leaving by an exception would leave the app suspended.
                fault = f"{one_line(command[0], 80)} cannot be started: {error.strerror or error}."
            else:
                with _interrupts_ignored():
                    return await _ended(process)
    except SuspendNotSupported:
        raise CannotEdit("An editor needs a terminal, and here is none; fill in the form instead.") from None
    raise CannotEdit(fault)


async def _ended(process: asyncio.subprocess.Process) -> int:
    try:
        return await process.wait()
    except asyncio.CancelledError:
        # The app has to leave: two programs must not hold on to one terminal.
        _send(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            _send(process, signal.SIGKILL)
            await process.wait()
        raise


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Unless it has ended by itself, which it may do at any moment."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(number)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ctrl+c goes to every program of the terminal; while the editor has it, it means the editor only.

    Set once the editor runs, since a program inherits what is ignored. Under the loop's own handler, which stays.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.siginterrupt(signal.SIGINT, False)
