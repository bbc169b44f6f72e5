"""One recorded thing in full: a delegation's request, response and evidence, or an artifact's content."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen

from core.contract import ApmError
from core.sanitise import one_line, sanitise
from core.store import reads
from core.store.rows import ArtifactRow, DelegationRow, EvidenceRow
from tui.actions import bindings
from tui.widgets.document import BLANK, Document, Paragraph, heading, text
from tui.widgets.key_bar import KeyBar
from tui.widgets.top_line import TopLine
from tui.words import DELEGATION_MARKS, UNKNOWN, Line, exact_time

if TYPE_CHECKING:
    from tui.app import ApmApp

JSON_LIMIT = 200_000
"""Characters of a JSON document that are shown; the whole of it is in the store."""
_KEY = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: ?)(.*)$')


class Detail(Screen[None]):
    """Reads its text once: what it shows is immutable."""

    PLACES: ClassVar[tuple[str, ...]] = ("detail",)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("detail")]
    title_text = ""

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Document(widget_id="detail", classes="pane")
        yield KeyBar()

    @property
    def apm(self) -> ApmApp:
        return cast("ApmApp", self.app)

    async def on_mount(self) -> None:
        document = self.query_one("#detail", Document)
        document.border_title = Content(self.title_text)
        document.focus()
        try:
            document.show(await self.read_text())
        except (ApmError, LookupError) as error:
            self.apm.complain(str(error))

    async def read_text(self) -> list[Paragraph]:
        raise NotImplementedError

    def on_descendant_focus(self) -> None:
        self.apm.show_keys()

    def on_screen_resume(self) -> None:
        self.apm.show_keys()

    def action_out(self) -> None:
        self.dismiss()


class DelegationDetail(Detail):
    """What one agent asked of another, what it answered, and the commands that were run for it."""

    def __init__(self, row: DelegationRow) -> None:
        super().__init__()
        self._row = row
        self.title_text = one_line(f"{row.agent} {row.subject}".strip(), 60)

    async def read_text(self) -> list[Paragraph]:
        record, commands = await self.apm.bridge.read(
            lambda reader, *_: (
                reads.delegation_record(reader, self._row.event),
                reads.evidence(reader, delegation=self._row.id),
            )
        )
        return [
            *_delegation_facts(self._row),
            *_response(record["response"]),
            *evidence_text(commands),
            *_json_section("Request", record["request"]),
            *_json_section("Response", record["response"]),
        ]


class ArtifactDetail(Detail):
    """The content of an artifact, with its place in the chain."""

    def __init__(self, row: ArtifactRow) -> None:
        super().__init__()
        self._row = row
        self.title_text = one_line(f"{row.type} {row.digest[:12]}")

    async def read_text(self) -> list[Paragraph]:
        content = await self.apm.bridge.read(lambda reader, *_: reads.artifact_content(reader, self._row.id))
        row = self._row
        return [
            _fact("digest", row.digest),
            _fact("parent", row.parent or "none: the first of its chain"),
            _fact("made by", row.producer),
            *_json_section("Content", content),
        ]


def _delegation_facts(row: DelegationRow) -> list[Paragraph]:
    mark = DELEGATION_MARKS.get(row.status, UNKNOWN)
    facts: Line = (
        *mark.line(),
        ("   runtime ", "dim"),
        (one_line(row.runtime, 40), "ask" if row.runtime == "replay" else "text"),
        ("   took ", "dim"),
        (exact_time(row.milliseconds), "text"),
        ("   phase ", "dim"),
        (f"{row.phase}, round {row.round}", "text"),
    )
    return [Paragraph(facts), _fact("request digest", row.request_digest)]


def _response(response: Any) -> list[Paragraph]:
    """What went wrong and what would help, said before the documents."""
    found = response.get("metadata") if isinstance(response, dict) else None
    metadata: dict[str, Any] = found if isinstance(found, dict) else {}
    made: list[Paragraph] = []
    if metadata.get("error"):
        made.append(Paragraph((("error ", "bad"), (one_line(str(metadata["error"]), 2_000), "text")), 2))
    missing = metadata.get("missing")
    for entry in missing if isinstance(missing, list) else ():
        made.append(Paragraph((("missing ", "ask"), (one_line(str(entry), 500), "text")), 2))
    if metadata.get("suggestion"):
        made.append(Paragraph((("suggestion ", "dim"), (one_line(str(metadata["suggestion"]), 1_000), "text")), 2))
    return [BLANK, *made] if made else []


def evidence_text(commands: Sequence[EvidenceRow]) -> list[Paragraph]:
    """Every command with its exit code, its time and the end of its output."""
    if not commands:
        return []
    made = [BLANK, heading("Evidence")]
    for row in commands:
        code = "killed" if row.exit_code is None else f"exit {row.exit_code}"
        tone = "good" if row.exit_code == 0 else "bad"
        tool = one_line(f"{row.tool} {row.tool_version}")
        made.append(Paragraph((("$ ", "accent"), (one_line(shlex.join(row.command), 1_000), "strong")), 2))
        made.append(Paragraph(((f"  {code}", tone), (f"   {exact_time(row.milliseconds)}   {tool}".rstrip(), "dim"))))
        made += text(sanitise(row.output_tail, limit=20_000), "dim", indent=2)
    return made


def _json_section(title: str, value: Any) -> list[Paragraph]:
    shown = sanitise(json.dumps(value, indent=2, ensure_ascii=False), limit=JSON_LIMIT)
    return [BLANK, heading(title), *(_json_line(line) for line in shown.split("\n"))]


def _json_line(line: str) -> Paragraph:
    """A key apart from its value; what wraps is indented below it."""
    lead = len(line) - len(line.lstrip(" "))
    match = _KEY.match(line)
    if match is None:
        return Paragraph(((line, "text"),), lead + 2)
    space, key, colon, value = match.groups()
    return Paragraph(((space, "text"), (key, "run"), (colon, "faint"), (value, "text")), lead + 2)


def _fact(name: str, value: str) -> Paragraph:
    return Paragraph(((f"{name} ", "dim"), (one_line(value), "text")), 2)
