"""Cassettes: what agents on models answered, and to what, so that it can be played again without them.

A cassette is a JSON file: {"format": 2, "note", "compares", "entries": [{"role", "subject", "request", "digest",
"status", "output", "metadata", "commits": [{"subject", "body", "trailers", "edits": [{"path", "content"}, …]}]}]}.
`request` is the request without what differs from one workspace to the next; `compares` names the parts of it that
have to be the same for an entry to serve, null for all of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.contract import AgentRequest, Json, Status, UsageError, digest_of
from core.sanitise import one_line

FORMAT = 2
MOST_BYTES = 64 * 2**20
NEVER_RECORDED = {
    "project": ("id", "path", "branch", "base_commit", "environment"),
    "work_item": ("id",),
}
"""Facts of a request that are another workspace's own, by the key of the context under which they stand."""
LEFT_OUT = ("human", "since", "commit", "journal")
"""Parts of the context that tell of commits and moments."""

KEPT = ("model", "tokens", "cost", "usage", "seconds", "missing", "suggestion", "error", "decisions")
"""What of an answer's metadata says something anywhere else. A cassette that claims more, such as commands that were
run, or who answered, is not believed."""

_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")


@dataclass(frozen=True, slots=True)
class Cassette:
    """A cassette in memory. `compares` are the parts of a request that count; empty for all."""

    entries: tuple[Json, ...] = ()
    compares: tuple[str, ...] = ()
    note: str = ""

    def find(self, role: str, subject: str, asked: Json) -> tuple[Json | None, str]:
        """The entry for this request; without one, why there is none."""
        own = [e for e in self.entries if (e["role"], e["subject"]) == (role, subject)]
        wanted = self._compared(asked)
        for entry in own:
            if digest_of(self._compared(entry["request"])) == digest_of(wanted):
                return entry, ""
        if not own:
            return None, f"it holds no response of {role} for {subject or 'this request'}"
        nearest = min((list(_differences(self._compared(e["request"]), wanted)) for e in own), key=len)
        return None, f"it was recorded for another request: {'; '.join(nearest[:3])}"

    def _compared(self, request: Json) -> Json:
        return {key: value for key, value in request.items() if not self.compares or key in self.compares}

    def with_entry(self, entry: Json) -> Cassette:
        """The cassette with one more entry, in the place of one for the same request."""
        key = ("role", "subject", "digest")
        kept = [e for e in self.entries if [e[k] for k in key] != [entry[k] for k in key]]
        return Cassette((*kept, entry), self.compares, self.note)


def portable(request: AgentRequest, worktree: Path | None) -> Json:
    """What was asked, without what another workspace has otherwise: numbers, paths, commits, moments.

    `title` and `criteria` (its criteria's texts) are the task's; the rest stands under its own name.
    """
    context = {key: value for key, value in request.context.items() if key not in LEFT_OUT}
    for part, keys in NEVER_RECORDED.items():
        if part in context:
            context[part] = {key: value for key, value in context[part].items() if key not in keys}
    task: Json = context.pop("task", {})
    texts = {c["id"]: c["text"] for c in context.get("criteria", ())}
    asked: Json = {
        "title": task.get("title", ""),
        "criteria": [texts.get(c, c) for c in task.get("criteria", ())],
        "artifact": request.input_artifact,
        "expected_output": request.expected_output,
        "context": context,
    }
    # Through JSON, as it will be read back: what was a tuple is a list then.
    found: Json = _placeless(json.loads(json.dumps(asked)), str(worktree) if worktree is not None else "")
    return found


def _placeless(value: Any, worktree: str) -> Any:
    if isinstance(value, str):
        text = value.replace(worktree, "<worktree>") if worktree else value
        return _COMMIT.sub("<commit>", text)
    if isinstance(value, Mapping):
        return {key: _placeless(entry, worktree) for key, entry in value.items()}
    return [_placeless(entry, worktree) for entry in value] if isinstance(value, list) else value


def _differences(recorded: Any, asked: Any, place: str = "") -> Iterator[str]:
    """In words, what the one has otherwise than the other, place by place."""
    if isinstance(recorded, Mapping) and isinstance(asked, Mapping):
        for key in dict.fromkeys((*recorded, *asked)):
            yield from _differences(recorded.get(key), asked.get(key), f"{place}.{key}" if place else str(key))
    elif isinstance(recorded, Sequence) and isinstance(asked, Sequence) and not isinstance(recorded, str):
        if len(recorded) != len(asked):
            yield f"{place} had {len(recorded)} entries, now it has {len(asked)}"
        for number, (one, other) in enumerate(zip(recorded, asked, strict=False)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif recorded != asked:
        yield f"{place} was {_short(recorded)}, now it is {_short(asked)}"


def _short(value: Any) -> str:
    return one_line(repr(value), 120)


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer as it is kept. `commits` are those that the agent made, oldest first."""

    role: str
    subject: str
    request: Json
    status: str
    output: Json
    metadata: Json
    commits: list[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        return {
            "role": self.role,
            "subject": self.subject,
            "request": self.request,
            "digest": digest_of(self.request),
            "status": self.status,
            "output": self.output,
            "metadata": self.metadata,
            "commits": self.commits,
        }


def read_cassette(path: Path) -> Cassette:
    """Raises UsageError for a file that is none, saying why."""
    whole = _parsed(path)
    why = next(_faults(whole), "")
    if why:
        raise UsageError(f"{path} is no cassette: {why}; `apm run --record FILE` makes one.")
    if whole["format"] != FORMAT:
        written = one_line(str(whole["format"]), 40)
        raise UsageError(f"{path} is a cassette of format {written}, not {FORMAT}; record it again.")
    why = next((f"entry {n}: {fault}" for n, e in enumerate(whole["entries"], 1) for fault in _entry_faults(e)), "")
    if why:
        raise UsageError(f"{path} is a damaged cassette: {why}; record it again.")
    return Cassette(tuple(whole["entries"]), tuple(whole.get("compares") or ()), str(whole.get("note", "")))


def _parsed(path: Path) -> Any:
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no file, so it is no cassette.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path} is larger than {MOST_BYTES // 2**20} MB; that is no cassette.")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}), so it is no cassette.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{path} is not JSON ({where}), so it is no cassette.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is nested too deeply, or holds a number too long, for a cassette.") from error


def _faults(whole: Any) -> Iterator[str]:
    """What keeps the file from being a cassette of any format."""
    if not isinstance(whole, dict):
        yield "it holds no JSON object"
        return
    yield from (f"it has no `{key}`" for key in ("format", "entries") if key not in whole)
    if not isinstance(whole.get("entries"), list):
        yield "`entries` is no list"
    compares = whole.get("compares") or []
    if not isinstance(compares, list) or not all(isinstance(part, str) for part in compares):
        yield "`compares` is no list of names"


_ENTRY = (("role", str), ("subject", str), ("request", dict), ("digest", str), ("output", dict))
_KINDS: dict[type, str] = {str: "text", dict: "an object", list: "a list"}


def _entry_faults(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "it is no object"
        return
    yield from _misfits(entry, _ENTRY)
    yield from _misfits({"metadata": {}, "commits": [], **entry}, (("metadata", dict), ("commits", list)))
    if entry.get("status", "SUCCESS") not in list(Status):
        yield f"`status` is none of {', '.join(Status)}"
    for commit in entry.get("commits") or ():
        if not isinstance(commit, dict):
            yield "a commit is no object"
            return
        yield from _misfits(commit, (("subject", str), ("edits", list)))
        for edit in commit["edits"]:
            yield from _misfits(edit if isinstance(edit, dict) else {}, (("path", str),))


def _misfits(found: Json, wanted: Sequence[tuple[str, type]]) -> Iterator[str]:
    for key, kind in wanted:
        if key not in found:
            yield f"it has no `{key}`"
        elif not isinstance(found[key], kind):
            yield f"`{key}` is not {_KINDS[kind]}"


def write_cassette(path: Path, cassette: Cassette) -> None:
    """Put the cassette in the place of the file, whole or not at all. Raises UsageError where it cannot be written."""
    whole = {
        "format": FORMAT,
        "note": cassette.note,
        "compares": list(cassette.compares) or None,
        "entries": list(cassette.entries),
    }
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105 — Path.replace says the same of a path that may be a link
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; give --record another file.") from error
