"""An answer with values as a file to edit: comments tell what each value is for, faults come back at the top."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from core.contract import ApmError, Json
from core.governance.answers import SHAPES, check_answer
from core.registry.documents import DocumentError, parse
from core.sanitise import one_line
from core.store.rows import EscalationRow
from tui.editing import edit_text
from tui.questions.answer_parts import Part, parts_of
from tui.questions.answering import draft_key
from tui.questions.forms import NotReadable, read_values

if TYPE_CHECKING:
    from tui.app import ApmApp

REASON = "reason"
FAULT = "# ! "
_WIDTH = 88

_HEAD = """\
# Question {id}: {label}
{question}
#
# What is left empty is left out. Save and close, and this is the answer;
# close without a change, and nothing is answered.
"""

_EXAMPLES: Mapping[str, Sequence[str]] = {
    "lines": ("- the first", "- the second"),
    "map": ("AC1: a text about it",),
    "numbers": ("T1: 2.5",),
    "lists": ("T2: [T1]",),
    "tasks": ("- id: T1", "  title: what is to be done", "  criteria: [AC1]"),
}
_RISKS = ("- text: what could go wrong", "  mitigation: what will be done about it")


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


async def answer_in_editor(
    app: ApmApp, question: EscalationRow, option: Json, needs_reason: bool, typed: Mapping[str, str] | None = None
) -> tuple[Json, str] | None:
    """Values and reason as they were saved in the person's editor; None when nothing came of it.

    It opens with what is `typed` in the form's fields, else with what was written there before and could not be taken.
    """
    key = draft_key(question, option)
    kept = None if typed else app.drafts.get(key, {}).get("text")
    text = kept or file_of(question, option, needs_reason, typed or {})
    while True:
        edited = await edit_text(app, text, suffix=".yaml", what=f"the answer to question {question.id}")
        if edited is None:
            return None
        try:
            answer = read_file(question, option, needs_reason, edited)
        except NotReadable as error:
            text = with_fault(edited, str(error))
            app.drafts[key] = {"text": text}
        else:
            # Until the answer is on record: what is refused then opens as it was written.
            app.drafts[key] = {"text": edited}
            return answer


def file_of(question: EscalationRow, option: Json, needs_reason: bool, typed: Mapping[str, str] = {}) -> str:
    """The file as it is opened; `typed` are the texts of the form's fields by value."""
    head = _HEAD.format(
        id=question.id,
        label=one_line(option["label"], 70),
        question="\n".join(_comment(one_line(question.question, 600))),
    )
    blocks = [head, *(_block(part, typed.get(part.key, "")) for part in parts_of(question, option))]
    if needs_reason:
        said = "# reason: this is not the recommended answer, so it needs one"
        blocks.append(f"{said}\n{_value(REASON, typed.get(REASON) or None)}")
    return "\n".join(blocks)


def _block(part: Part, typed: str) -> str:
    lines = _comment(f"{part.name}: {part.said}" if part.said else part.name)
    lines += _comment(f"{part.how.hint} ({SHAPES[part.shape]})")
    value = _typed_value(part, typed)
    if value is None:
        example = _RISKS if part.key == "risks" else _EXAMPLES.get(part.shape, ())
        return "\n".join([*lines, _begun(part), *(f"#  {line}" for line in example)]) + "\n"
    return "\n".join([*lines, _value(part.key, value)])


def _typed_value(part: Part, typed: str) -> Any:
    """What stands in the form's field, as the value that it is; as the text that it is where it cannot be read yet."""
    if not typed.strip() or typed.strip() == part.begun.strip():
        return None
    try:
        return read_values({part.key: part.shape}, {part.key: typed})[part.key]
    except NotReadable:
        return typed


def _begun(part: Part) -> str:
    if part.shape in ("map", "numbers") and part.begun:
        return "\n".join([f"{part.key}:", *(f"  {line.strip()}" for line in part.begun.splitlines())])
    return f"{part.key}:"


def _value(key: str, value: Any) -> str:
    if value is None:
        return f"{key}:\n"
    return yaml.dump({key: value}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)


def _comment(text: str) -> list[str]:
    words, lines = text.split(), ["#"]
    for word in words:
        if len(lines[-1]) + len(word) >= _WIDTH and lines[-1] != "#":
            lines.append("#")
        lines[-1] += f" {word}"
    return lines


TOLD = 2
"""Lines at the top that tell what is wrong."""
_LINE = re.compile(r"(\bline )(\d+)")


def with_fault(text: str, fault: str) -> str:
    """The file again as it was left, with what is wrong in it at the top, and nothing of what was wrong before."""
    lines = text.split("\n")
    rest = [line for line in lines if not line.startswith(FAULT.rstrip())]
    added = TOLD - (len(lines) - len(rest))
    here = _LINE.sub(lambda found: f"{found[1]}{int(found[2]) + added}", fault)
    told = [f"{FAULT}{one_line(line, 300)}" for line in (f"Not sent: {here}", "Mend it, save and close.")]
    return "\n".join([*told, *rest])


def read_file(question: EscalationRow, option: Json, needs_reason: bool, text: str) -> tuple[Json, str]:
    """Values and reason, by the checks that every answer passes. Raises NotReadable with what is wrong, and where."""
    asks: Mapping[str, str] = option.get("asks") or {}
    try:
        document = parse(text.encode(), "the file")
    except DocumentError as error:
        raise NotReadable(_plain(str(error).removeprefix("the file:"))) from None
    data = document.data if document.data is not None else {}
    if not isinstance(data, Mapping):
        raise NotReadable("the file is no list of `name: value`.")
    known = (*asks, *((REASON,) if needs_reason else ()))
    for key in data:
        if key not in known:
            at = document.line_of((key,))
            raise NotReadable(f"line {at}: {one_line(str(key), 60)!r} was not asked for; it takes {', '.join(known)}.")
    reason = _filled(data.get(REASON)) if needs_reason else ""
    values = {key: value for key in asks if (value := _filled(data.get(key))) not in (None, "", [], {})}
    if not values:
        raise NotReadable("nothing is filled in yet.")
    if needs_reason and not (isinstance(reason, str) and reason.strip()):
        raise NotReadable("say why under `reason`: an answer that was not recommended needs one.")
    for key, value in values.items():
        try:
            check_answer(question.id, {key: asks[key]}, {key: value})
        except ApmError as error:
            told = str(error).removeprefix(f"Escalation {question.id}: ").rstrip(".")
            quotes = "; put it in quotes, or it is read as a number" if isinstance(value, int | float) else ""
            raise NotReadable(f"line {document.line_of((key,))}: {told}{quotes}.") from None
    return values, str(reason or "").strip()


def _filled(value: Any) -> Any:
    """The value without what was left empty in it."""
    if isinstance(value, Mapping):
        return {k: v for k, inner in value.items() if (v := _filled(inner)) not in (None, "")}
    if isinstance(value, list):
        return [v for inner in value if (v := _filled(inner)) not in (None, "", {})]
    return value.strip() if isinstance(value, str) else value


def _plain(text: str) -> str:
    return f"line {text.strip()}" if text.strip()[:1].isdigit() else text.strip()
