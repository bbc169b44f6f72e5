"""The chain of events: each event's mac covers its facts and the mac before it.

mac(n) = HMAC-SHA256(key, mac(n-1) ‖ seq ‖ at ‖ kind ‖ work item ‖ payload), the text parts joined by line feeds,
which none of the parts before the payload can hold. The key is the workspace's own, in a file that only its owner
reads: who holds both key and database can rewrite history, anybody else shows.

The head, stored apart, is the last event's number and mac with a signature of its own: HMAC-SHA256(key, "head" ‖
number ‖ mac). So the mac of an earlier event does not serve as a head, and a journal that was cut shows although its
head was moved. What no check inside the database finds: a whole older copy of it, with the head that was right then;
a head that was kept from an earlier day and put back after a cut, where no row stands in a later event and none
differs from what the events say (`apm replay --verify`); and a database made to look like one from before heads were
signed, which is signed when it is next opened. Against these a copy elsewhere helps, or the last number and mac, kept
where nobody who writes here can reach.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from core.contract import ApmError

STRETCH = "archive.stretch"
"""The kind of a row that stands for events that are in an archive: {"first": number}. Its number, time and mac are
those of the last of them, so that the chain goes on behind it; it has no mac of its own."""
ARCHIVED = "archive.made"
"""The event that vouches for all the stretches of its moment, by `digest_of_stretches`."""

UNSIGNED = (
    "the journal ends at event {last}, and that end is not signed with this workspace's key: what followed was cut off "
    "and the stored head moved, or it was never apm's; compare with a backup"
)
GENESIS = b"\0" * 32
KEY_BYTES = 32


class BadKey(ApmError):
    """The key file is there and cannot serve."""


class StoredEvent(NamedTuple):
    """An event as it was committed. `payload` is canonical JSON text; `at` milliseconds since the epoch, UTC."""

    seq: int
    at: int
    kind: str
    work_item: int | None
    payload: str
    mac: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where the journal ends, as it was stored apart from the events."""

    seq: int
    mac: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Where the chain does not hold, and how that shows."""

    seq: int
    what: str


def read_or_make_key(path: Path, *, has_journal: Callable[[], bool]) -> bytes:
    """The workspace's key; made with mode 0600 where there is none. Called by one process at a time.

    Raises BadKey when the file is there but is not a key, or is gone although there is a journal already: a new one
    would make every event before it look forged. And where other accounts can read it: what is signed with it may be
    anybody's word. Git keeps no mode that is as narrow, so a workspace that was cloned is found by that.
    """
    if not path.exists():
        if has_journal():
            raise BadKey(f"{path} is missing, and the journal was written with it. Put the original file back.")
        _make_key(path)
    if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        raise BadKey(
            f"{path} can be read by other accounts (its mode is {mode:04o}), so this journal may be anybody's word. If "
            "the workspace came with a repository or an archive, leave it alone: what it runs, it runs as you. If it "
            f"is your own, `chmod 600 {shlex.quote(str(path))}` and try again."
        )
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise BadKey(
            f"{path} holds {len(key)} bytes instead of {KEY_BYTES}: it is not this workspace's journal key. "
            "Put the original file back; without it the journal cannot be verified."
        )
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all: a kill must not leave half a key."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@cache
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def _digest(key: bytes, text: bytes) -> bytes:
    # Not `hmac.digest`: it lets go of the interpreter's lock, and another thread may have it for milliseconds.
    mac = _keyed(key).copy()
    mac.update(text)
    return mac.digest()


def mac_of(key: bytes, before: bytes, seq: int, at: int, kind: str, work_item: int | None, payload: str) -> bytes:
    text = f"{seq}\n{at}\n{kind}\n{'' if work_item is None else work_item}\n{payload}"
    return _digest(key, before + text.encode("utf-8", "surrogatepass"))


def head_signature(key: bytes, seq: int, mac: bytes) -> bytes:
    """Of the head that says that the journal ends at event `seq`, whose mac this is."""
    return _digest(key, b"head\n%d\n" % seq + mac)


def is_signed(key: bytes, head: Head) -> bool:
    return hmac.compare_digest(head_signature(key, head.seq, head.mac), head.signature)


def head_from_row(row: tuple[Any, ...]) -> Head:
    """Of (seq, mac, signature); what is no number or no bytes, as only another program leaves it, is read as none."""
    seq, mac, signature = row
    return Head(seq if type(seq) is int else 0, _bytes(mac), _bytes(signature))


def faults(key: bytes, events: Iterable[StoredEvent], head: Head | None) -> Iterator[ChainFault]:
    """What is wrong with the chain, first fault first; nothing when it is whole.

    A change, a gap, an insertion, a new order and a cut tail each show; after the first broken link only gaps are
    reported, since every later link would break with it. What is in an archive leaves a stretch behind, and the last
    event that made an archive has to vouch for all of them.
    """
    before, expected = GENESIS, 1
    broken = False
    stretches: list[StoredEvent] = []
    vouched = digest_of_stretches(())
    for event in events:
        first = first_of(event)
        if first != expected:
            yield ChainFault(event.seq, f"event {expected} is missing: {first} follows {expected - 1}")
            broken = True
        if event.kind == STRETCH:
            stretches.append(event)
        elif not broken and not is_written(key, before, event):
            yield ChainFault(event.seq, f"event {event.seq} ({event.kind}) is not what was written")
            broken = True
        elif event.kind == ARCHIVED:
            vouched = str(json.loads(event.payload).get("stretches"))
        before, expected = event.mac, event.seq + 1
    last = expected - 1
    if not broken and digest_of_stretches(stretches) != vouched:
        numbers = ", ".join(f"{first_of(s)}-{s.seq}" for s in stretches[:3]) or "none"
        yield ChainFault(last, f"what was taken out ({numbers}) is not what the last archive's event says")
    if head is None:
        if last:
            yield ChainFault(last, "the stored head is missing")
    elif head.seq != last or (not broken and not hmac.compare_digest(head.mac, before)):
        yield ChainFault(last, f"the journal ends at event {last}, the stored head says {head.seq}")
    elif last and not is_signed(key, head):
        yield ChainFault(last, UNSIGNED.format(last=last))


def first_of(event: StoredEvent) -> int:
    """The number of the first event that a row stands for: its own, but for a stretch."""
    if event.kind != STRETCH:
        return event.seq
    try:
        first = json.loads(event.payload)["first"]
    except (ValueError, TypeError, KeyError):
        return event.seq
    return first if type(first) is int and first <= event.seq else event.seq


def digest_of_stretches(stretches: Iterable[StoredEvent]) -> str:
    """Of all of them in order: which numbers, and the mac that the chain goes on from."""
    found = hashlib.sha256()
    for stretch in stretches:
        found.update(f"{first_of(stretch)}-{stretch.seq} {stretch.at} {stretch.mac.hex()}\n".encode())
    return found.hexdigest()


def is_written(key: bytes, before: bytes, event: StoredEvent) -> bool:
    """Whether the mac is of these facts. SQLite takes any type in any column, and '' reads like NULL in the text that
    a mac covers, so the types count as well."""
    if type(event.at) is not int or type(event.kind) is not str or type(event.payload) is not str:
        return False
    if event.work_item is not None and type(event.work_item) is not int:
        return False
    mac = mac_of(key, before, event.seq, event.at, event.kind, event.work_item, event.payload)
    return hmac.compare_digest(mac, event.mac)


def event_from_row(row: tuple[Any, ...]) -> StoredEvent:
    """A mac that is no bytes, as only another program leaves it, is read as none."""
    seq, at, kind, work_item, payload, mac = row
    return StoredEvent(seq, at, kind, work_item, payload, _bytes(mac))


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else b""
