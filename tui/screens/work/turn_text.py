"""The turns of a delegation in lines. What a model or a tool said is of any shape, and may be hostile or huge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard

from core.sanitise import one_line
from core.store.reads_turns import TurnRow
from tui.text.amounts import price, tokens
from tui.text.words import Line, exact_time

MOST = 400
"""Characters of one line."""
LOOKED_AT = 4_000
"""Characters of a text that are looked at for its line: nobody waits for the cleaning of megabytes."""
MOST_BLOCKS = 50
VERB = 8
"""Cells of the column that says what was done."""


class Told(NamedTuple):
    """A turn as it is told: a line for each thing that was said or called in it."""

    number: int
    at: int
    lines: tuple[Line, ...]


def told(turn: TurnRow) -> Told:
    if turn.content is None:
        return Told(turn.number, turn.at, (_line(turn.kind, f"too long to show here: {turn.length:,} characters"),))
    content = turn.content if isinstance(turn.content, Mapping) else {"": turn.content}
    tell = _KINDS.get(turn.kind)
    lines = tuple(tell(content)) if tell is not None else ()
    return Told(turn.number, turn.at, lines or (_line(turn.kind, _json(turn.content), "dim"),))


def _line(verb: str, text: Any, tone: str = "text", verb_tone: str = "dim") -> Line:
    said = text if isinstance(text, str) else _json(text)
    return (f"{one_line(verb, VERB):<{VERB}} ", verb_tone), (one_line(said[:LOOKED_AT], MOST), tone)


def _json(value: Any) -> str:
    if isinstance(value, Mapping | list) and len(value) > MOST_BLOCKS:
        return f"{type(value).__name__} of {len(value):,} entries"
    return json.dumps(value, ensure_ascii=False, default=str)[:LOOKED_AT]


def _reply(content: Mapping[str, Any]) -> Iterator[Line]:
    blocks = content.get("content")
    found = blocks if isinstance(blocks, list) else []
    for block in found[:MOST_BLOCKS]:
        yield from _block(block)
    if len(found) > MOST_BLOCKS:
        yield _line("", f"and {len(found) - MOST_BLOCKS:,} more parts", "dim")
    yield from _figures(content)


def _block(block: Any) -> Iterator[Line]:
    if not isinstance(block, Mapping):
        yield _line("says", block)
    elif block.get("type") == "tool_use":
        yield _line("calls", f"{_short(block.get('name'))} {_target(block.get('input'))}", "text", "run")
    elif isinstance(block.get("text"), str):
        if block["text"].strip():
            yield _line("says", block["text"])
    else:
        yield _line("says", block, "dim")


def _short(value: Any) -> str:
    return one_line(str(value if value is not None else "")[:LOOKED_AT], 40)


def _target(given: Any) -> str:
    """What a call is about: the value that says most, else all of them."""
    if isinstance(given, Mapping):
        for key in ("command", "file_path", "path", "pattern", "query", "url"):
            if isinstance(given.get(key), str) and given[key]:
                return str(given[key])[:LOOKED_AT]
    return "" if given in (None, {}, []) else _json(given)


def _figures(content: Mapping[str, Any]) -> Iterator[Line]:
    """`$0.0034 · 812 tok · 1.2 s`, and why it ended where that was not by itself."""
    usage = content.get("usage")
    parts: list[str] = []
    if isinstance(usage, Mapping):
        counted = [usage.get(name) for name in ("input", "output", "cache_read", "cache_write")]
        used = sum(n for n in counted if isinstance(n, int) and not isinstance(n, bool))
        paid = usage.get("dollars")
        parts += [price(paid if _is_number(paid) else None), f"{tokens(used)} tok"]
    seconds = content.get("seconds")
    parts += [exact_time(int(seconds * 1_000))] if _is_number(seconds) and 0 <= seconds < 1e6 else []
    stop = content.get("stop_reason")
    cut = isinstance(stop, str) and stop not in ("", "end_turn", "tool_use", "stop", "stop_sequence")
    if parts or cut:
        spans: Line = ((f"{'':<{VERB}} ", "dim"), (" · ".join(parts), "faint"))
        yield (*spans, (f"  stopped: {_short(stop)}", "ask")) if cut else spans


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _tools(content: Mapping[str, Any]) -> Iterator[Line]:
    """What a tool gave: one result by itself, or a message's worth of them."""
    several = content.get("content")
    for one in several[:MOST_BLOCKS] if isinstance(several, list) else (content,):
        found = one if isinstance(one, Mapping) else {"text": one}
        failed = bool(found.get("failed") or found.get("is_error"))
        name = _short(found.get("name"))
        text = found.get("text", found.get("content", ""))
        said = text if isinstance(text, str) else _json(text)
        more = f"  ({len(said):,} characters)" if len(said) > MOST else ""
        told = _line("failed" if failed else "result", f"{name}: {said[:LOOKED_AT]}" if name else said, "text")
        yield (*(told if not failed else ((told[0][0], "bad"), told[1])), *(((more, "faint"),) if more else ()))


def _intent(content: Mapping[str, Any]) -> Iterator[Line]:
    diff = content.get("diff")
    lines = diff.splitlines() if isinstance(diff, str) else []
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    gone = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    counts = ((f"+{added} ", "good"), (f"-{gone} ", "bad")) if lines else ()
    path = one_line(_target({"path": content.get("path")}) or _json(content), MOST)
    yield ((f"{'edits':<{VERB}} ", "run"), *counts, (path, "text"))


def _saying(verb: str, *names: str, tone: str = "text") -> Callable[[Mapping[str, Any]], Iterator[Line]]:
    """A kind that is told by the first of these values that it has."""

    def lines(content: Mapping[str, Any]) -> Iterator[Line]:
        found = next((content[name] for name in names if content.get(name) not in (None, "")), None)
        yield _line(verb, _json(content) if found is None else found, tone)

    return lines


def _spent(content: Mapping[str, Any]) -> Iterator[Line]:
    paid = content.get("dollars")
    yield _line("cost", f"{price(paid if _is_number(paid) else None)} so far", "dim")


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Line]]] = {
    "reply": _reply,
    "tools": _tools,
    "intent": _intent,
    "event": _saying("tells", "line"),
    "session": _saying("session", "id", tone="dim"),
    "start": _saying("begins", "head", tone="dim"),
    "end": _saying("gives up", "error", tone="dim"),
    "deferred": _saying("waits", "what", "tool", tone="ask"),
    "answered": _saying("answered", "option"),
    "granted": _saying("may go", "act", tone="dim"),
    "spent": _spent,
}
"""By kind of turn; one of another kind shows what it holds."""
