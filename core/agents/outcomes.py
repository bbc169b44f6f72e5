"""What a test command reported: JUnit XML where it wrote one, otherwise the last lines that it printed.

Both are untrusted: a report is read as a stream of bounded size, and one that declares a document type (where
entity bombs live) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from core.agents.bounded import read_bytes
from core.agents.findings import relative
from core.contract import ApmError
from core.sanitise import sanitise

REPORT_BYTES = 64 * 2**20
TEXT_CHARACTERS = 2_000
"""What is kept of one failure's text."""
ID_CHARACTERS = 500

PASSED, FAILED, ERROR, SKIPPED = "passed", "failed", "error", "skipped"
_WORST_FIRST = (ERROR, FAILED, PASSED, SKIPPED)


@dataclass(frozen=True, slots=True)
class Case:
    """One test: its id as pytest writes it where that can be told, how it ended, and why it failed."""

    id: str
    outcome: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tests ended how; `failed` includes errors."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.skipped


def counted(cases: Iterable[Case]) -> Counts:
    """The figures of a list of cases."""
    outcomes = [case.outcome for case in cases]
    errors = outcomes.count(ERROR)
    return Counts(outcomes.count(PASSED), outcomes.count(FAILED) + errors, errors, outcomes.count(SKIPPED))


def read_junit(report: Path, root: Path) -> list[Case]:
    """The cases of a JUnit XML file, ids resolved against the files under `root`; raises ApmError for a bad file."""
    reader = _JUnitReader(root)
    try:
        reader.parse(read_bytes(report, REPORT_BYTES) or b"")
    except expat.ExpatError as error:
        raise ApmError(f"The test report {report.name} is no well-formed XML: {error}.") from error
    return _merged(reader.cases)


class _JUnitReader:
    """Takes the test cases out of the stream of XML events; keeps no tree."""

    _OUTCOMES: Mapping[str, str] = {"failure": FAILED, "error": ERROR, "skipped": SKIPPED}

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cases: list[Case] = []
        self._attributes: dict[str, str] | None = None
        self._outcome, self._inside = PASSED, ""
        self._text: list[str] = []

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.buffer_text = True
        parser.Parse(data, True)

    def _refuse(self, *_: object) -> None:
        raise ApmError("The test report declares a document type, which no JUnit file needs; it is not read.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "testcase":
            self._attributes, self._outcome, self._text = attributes, PASSED, []
        elif name in self._OUTCOMES and self._attributes is not None:
            outcome = self._OUTCOMES[name]
            self._outcome = min(self._outcome, outcome, key=_severity) if self._outcome != PASSED else outcome
            self._inside = name
            self._text.append(attributes.get("message", ""))

    def _characters(self, text: str) -> None:
        if self._inside:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if name == self._inside:
            self._inside = ""
        elif name == "testcase" and self._attributes is not None:
            text = "\n".join(part.strip() for part in self._text if part.strip())
            case_id = sanitise(_case_id(self._attributes, self.root), limit=ID_CHARACTERS, keep_newlines=False)
            self.cases.append(Case(case_id, self._outcome, failure_text(text)))
            self._attributes = None


def failure_text(text: str) -> str:
    """A failure as it is kept: the head says what, the tail says where, so the middle goes."""
    clean = sanitise(text)
    if len(clean) <= TEXT_CHARACTERS:
        return clean
    half = TEXT_CHARACTERS // 2
    return f"{clean[:half]}\n…\n{clean[-half:]}"


def _severity(outcome: str) -> int:
    return _WORST_FIRST.index(outcome)


def _merged(cases: list[Case]) -> list[Case]:
    """One case per id, the worst outcome: pytest reports a test that fails in its body and in its teardown twice."""
    merged: dict[str, Case] = {}
    for case in cases:
        known = merged.get(case.id)
        if known is None or _severity(case.outcome) < _severity(known.outcome):
            merged[case.id] = case
    return list(merged.values())


def _case_id(attributes: Mapping[str, str], root: Path) -> str:
    """`tests/test_x.py::TestA::test_y[1]` from JUnit's dotted class name, when such a file is there."""
    classname, name = attributes.get("classname", ""), attributes.get("name", "")
    file = attributes.get("file", "")
    if Path(file).suffix not in ("", ".py"):
        # Node writes the whole path, and one word for every class.
        return f"{relative(file, root)}::{name}"
    if not classname:
        path, rest = _module_file(name, attributes.get("file", ""), root)
        return path if path and not rest else name
    path, classes = _module_file(classname, attributes.get("file", ""), root)
    return "::".join([path, *classes, name]) if path else f"{classname}::{name}"


def _module_file(dotted: str, file: str, root: Path) -> tuple[str, list[str]]:
    """The file that a dotted name begins with, and the names after it; the report's own `file` is tried first."""
    stem = file.removesuffix(".py").replace("/", ".")
    if file.endswith(".py") and (dotted == stem or dotted.startswith(f"{stem}.")):
        return file, dotted[len(stem) + 1 :].split(".") if dotted != stem else []
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length]) + ".py"
        if (root / path).is_file():
            return path, parts[length:]
    return "", []


@dataclass(frozen=True, slots=True)
class Summary:
    """How one test runner prints its figures: which lines, and in them `number word` or `word=number` pairs."""

    runner: str
    line: re.Pattern[str]
    every_line: bool
    """The figures of all such lines are added up; otherwise the last line counts."""


_TIME = r"(?: \(?\d+(?:\.\d+)? ?m?s\)?)?"
PRINTED: tuple[re.Pattern[str], ...] = (
    re.compile(r"^[ \t]*--- (?P<end>PASS|FAIL|SKIP): (?P<name>\S+)", re.M),
    re.compile(r"^test (?P<name>\S+)(?: - should panic)? \.\.\. (?P<end>ok|FAILED|ignored)\b", re.M),
    re.compile(r"^[ \t]*(?P<end>(?:not )?ok) \d+ - (?P<name>[^#\n]*[^#\s])(?P<skipped> # (?:SKIP|TODO))?", re.M),
    re.compile(rf"^[ \t]*(?P<end>[✔✓✖✕✗×]) (?P<name>\S[^\n]*?){_TIME}$", re.M),
)
"""How go test -v, cargo, TAP, and the runners of JavaScript print one test."""
_ENDS: Mapping[str, str] = {
    **dict.fromkeys(("PASS", "ok", "✔", "✓"), PASSED),
    **dict.fromkeys(("SKIP", "ignored"), SKIPPED),
}


def printed_cases(output: str) -> list[Case]:
    """The tests that a command named in what it printed, without their texts; none where no known form is there."""
    found = ([_printed(match) for match in pattern.finditer(output)] for pattern in PRINTED)
    return _merged(next(filter(None, found), []))


def _printed(match: re.Match[str]) -> Case:
    skipped = match.groupdict().get("skipped")
    name = sanitise(match["name"], limit=ID_CHARACTERS, keep_newlines=False)
    return Case(name, SKIPPED if skipped else _ENDS.get(match["end"], FAILED))


_PAIR = re.compile(r"(?<!\d)(?P<n>\d+)\s+(?P<word>[a-z]+)|(?P<label>[A-Za-z][a-z ]{0,30})[=:]\s*(?P<figure>\d+)")
_MOST_DIGITS = 9
"""Of a figure that is read; what is longer stays one that is not nought. Python reads no more than 4,300."""

WORDS: Mapping[str, str] = {
    "passed": PASSED, "pass": PASSED, "passing": PASSED, "xpassed": PASSED, "unexpected successes": FAILED,
    "failed": FAILED, "fail": FAILED, "failing": FAILED, "failures": FAILED,
    "error": ERROR, "errors": ERROR,
    "skipped": SKIPPED, "ignored": SKIPPED, "pending": SKIPPED, "todo": SKIPPED, "xfailed": SKIPPED,
    "expected failures": SKIPPED,
    "tests": "total", "test": "total", "ran": "total", "tests run": "total",
}  # fmt: skip
"""What the runners call each outcome. `total` fills in `passed` where a runner prints only the rest."""

SUMMARIES: tuple[Summary, ...] = (
    Summary("cargo", re.compile(r"^test result: \w+\. (.*)$", re.M), every_line=True),
    Summary("jest", re.compile(r"^[ \t]*Tests:?[ \t]+(\d+ (?:passed|failed|skipped|todo).*)$", re.M), every_line=False),
    Summary("maven", re.compile(r"^(?:\[\w+\]\s+)?(Tests run: \d+(?:, [A-Z][a-z]+: \d+)+)$", re.M), every_line=False),
    Summary("pytest", re.compile(r"^=*[ \t]*(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s.*$", re.M), every_line=False),
    Summary("unittest", re.compile(r"^(Ran \d+ tests?) in [\d.]+s\n+(?:OK|FAILED|NO TESTS RAN)(.*)$", re.M), False),
    Summary("mocha", re.compile(r"^[ \t]+(\d+ (?:passing|failing|pending))\b.*$", re.M), every_line=True),
    Summary("node", re.compile(r"^[#ℹ] ((?:pass|fail|skipped|todo) \d+)$", re.M), every_line=True),
    Summary("go", re.compile(r"^(--- (?:PASS|FAIL|SKIP)): ", re.M), every_line=True),
)
"""Read in this order; the first whose lines are there decides. No pattern looks beyond its line or at a part of it
anew from each of its characters: what a command prints is megabytes, and a search lets no other thread run."""


def read_summary(output: str) -> tuple[str, Counts] | None:
    """The runner and its figures from what a test command printed; None when no known summary is there."""
    for summary in SUMMARIES:
        lines = [" ".join(group or "" for group in match.groups()) for match in summary.line.finditer(output)]
        if lines:
            used = lines if summary.every_line else lines[-1:]
            return summary.runner, _counts(_normal(line) for line in used)
    return None


def _normal(line: str) -> str:
    """Go and node put the word before the figure, without a sign between; a Go line is one test."""
    go = re.fullmatch(r"--- (PASS|FAIL|SKIP)", line)
    if go:
        return {"PASS": "1 passed", "FAIL": "1 failed", "SKIP": "1 skipped"}[go[1]]
    node = re.fullmatch(r"([a-z]+) (\d+)", line)
    return f"{node[2]} {node[1]}" if node else line


def _counts(lines: Iterable[str]) -> Counts:
    sums = {PASSED: 0, FAILED: 0, ERROR: 0, SKIPPED: 0, "total": 0}
    for line in lines:
        for match in _PAIR.finditer(line):
            word = (match["word"] or match["label"] or "").strip().lower()
            if word in WORDS:
                sums[WORDS[word]] += int((match["n"] or match["figure"])[:_MOST_DIGITS])
    failed = sums[FAILED] + sums[ERROR]
    passed = sums[PASSED] or max(sums["total"] - failed - sums[SKIPPED], 0)
    return Counts(passed, failed, sums[ERROR], sums[SKIPPED])
