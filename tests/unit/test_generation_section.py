"""AGENTS.md belongs to its owner: between two marks it is apm's, and the rest stays byte for byte."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import UsageError
from core.registry.generation import section
from core.registry.generation.rendering import GenerationError
from core.registry.generation.section import BEGIN, END
from core.registry.generation.service import Report, generate
from tests.unit.generation_team import SMALL, registry, row, team

PROSE = st.lists(st.sampled_from(["# House\n", "Words\r\n", "\n", "  ", "<!-- note -->\n", "é\n", "\ufeff"])).map(
    "".join
)


def made(root: Path, *, title: str = "Writes criteria.", force: bool = False) -> Report:
    return generate(team(*SMALL[:2], row("ac-writer", description=title)), root, providers=["agents-md"], force=force)[
        0
    ]


def status(report: Report) -> str:
    return report.files[0].status


def file(root: Path) -> Path:
    return root / "AGENTS.md"


@given(before=PROSE, after=PROSE, old=PROSE, new=PROSE)
def test_what_stands_around_the_marks_stays(before: str, after: str, old: str, new: str) -> None:
    head = before + ("" if before.endswith("\n") or before in ("", "\ufeff") else "\n")
    parts = section.split(f"{head}{BEGIN}\n{old}\n{END}\n{after}")

    again = section.split(section.joined(parts, new + "\n"))

    assert (parts.before, parts.after) == (head, after)
    assert (again.before, again.after) == (head, after)
    assert again.section == new.replace("\r\n", "\n") + "\n"


@given(text=PROSE)
def test_a_file_without_marks_keeps_every_byte_and_gets_the_section_at_its_end(text: str) -> None:
    joined = section.joined(section.split(text), "new\n")

    assert joined.startswith(text)
    assert section.split(joined).section == "new\n"


@pytest.mark.parametrize(
    ("mine", "gap"),
    [("# Mine", "\n\n"), ("# Mine\n", "\n"), ("# Mine\n\n", ""), ("# Mine\r\n", "\r\n"), ("a\r\n\r\n", "")],
)
def test_one_empty_line_parts_the_section_from_what_is_above(mine: str, gap: str) -> None:
    assert section.joined(section.split(mine), "new\n").startswith(f"{mine}{gap}{BEGIN}")


def test_a_folder_without_the_file_gets_one(tmp_path: Path) -> None:
    assert status(made(tmp_path)) == "new"

    text = file(tmp_path).read_text(encoding="utf-8")
    assert text.startswith(f"{BEGIN}\n## The team\n")
    assert text.endswith(f"{END}\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_section_takes_the_file_s_own_line_ends(tmp_path: Path, newline: str) -> None:
    mine = f"# House{newline}{newline}Mine.{newline}".encode()
    file(tmp_path).write_bytes(mine)

    made(tmp_path)

    content = file(tmp_path).read_bytes()
    assert content.startswith(mine + newline.encode() + BEGIN.encode())
    assert content.count(b"\r\n") == (content.count(b"\n") if newline == "\r\n" else 0)
    assert status(made(tmp_path)) == "unchanged"


def test_bytes_around_the_section_that_are_no_text_stay(tmp_path: Path) -> None:
    file(tmp_path).write_bytes(b"\xff mine\n")

    made(tmp_path)
    made(tmp_path, title="Other.")

    assert file(tmp_path).read_bytes().startswith(b"\xff mine\n\n<!-- apm:begin")


def test_words_around_the_section_may_change_freely(tmp_path: Path) -> None:
    made(tmp_path)
    text = file(tmp_path).read_text(encoding="utf-8")
    file(tmp_path).write_text(f"# Before\n\n{text}\nAfter\n", encoding="utf-8")

    assert status(made(tmp_path)) == "unchanged"
    assert status(made(tmp_path, title="Other.")) == "changed"
    assert file(tmp_path).read_text(encoding="utf-8").startswith(f"# Before\n\n{BEGIN}\n")
    assert file(tmp_path).read_text(encoding="utf-8").endswith(f"{END}\n\nAfter\n")


def test_a_hand_inside_the_section_is_not_overwritten(tmp_path: Path) -> None:
    made(tmp_path)
    text = file(tmp_path).read_text(encoding="utf-8").replace("Writes criteria.", "Writes novels.")
    file(tmp_path).write_text(text, encoding="utf-8")

    report = made(tmp_path)

    assert (status(report), report.refused) == ("edited", ("AGENTS.md",))
    assert "-- `ac-writer`: Writes novels." in dict(report.diffs)["AGENTS.md"]
    assert made(tmp_path, force=True).written == ("AGENTS.md",)


def test_a_section_that_went_missing_comes_back(tmp_path: Path) -> None:
    made(tmp_path)
    file(tmp_path).write_text("# Mine\n", encoding="utf-8")

    assert status(made(tmp_path)) == "missing"
    assert file(tmp_path).read_text(encoding="utf-8").startswith(f"# Mine\n\n{BEGIN}\n")


def test_a_section_that_nobody_here_wrote_is_not_overwritten(tmp_path: Path) -> None:
    file(tmp_path).write_text(f"{BEGIN}\nsomebody's\n{END}\n", encoding="utf-8")

    assert (status(made(tmp_path)), status(made(tmp_path, force=True))) == ("foreign", "foreign")
    assert "somebody's" not in file(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}\n",
        f"{END}\n",
        f"{END}\n{BEGIN}\n",
        f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n",
        f"{BEGIN}\n{BEGIN}\n{END}\n",
    ],
)
def test_marks_that_enclose_no_one_section_are_said_with_their_lines(tmp_path: Path, text: str) -> None:
    file(tmp_path).write_text(text, encoding="utf-8")

    with pytest.raises(GenerationError, match=re.escape("on line 1")):
        made(tmp_path, force=True)

    assert file(tmp_path).read_text(encoding="utf-8") == text


def test_marks_in_the_middle_of_a_sentence_are_words(tmp_path: Path) -> None:
    file(tmp_path).write_text(f"Put {BEGIN} and {END} around it.\n", encoding="utf-8")

    assert status(made(tmp_path)) == "new"


def test_the_manifest_holds_the_section_s_digest(tmp_path: Path) -> None:
    made(tmp_path)
    before = (tmp_path / ".apm/generated.json").read_bytes()
    file(tmp_path).write_text("# Mine\n\n" + file(tmp_path).read_text(encoding="utf-8"), encoding="utf-8")
    made(tmp_path)

    assert (tmp_path / ".apm/generated.json").read_bytes() == before
    assert json.loads(before)["files"]["AGENTS.md"]["role"] == ""


def test_a_link_to_a_file_of_the_same_folder_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("# Mine\n", encoding="utf-8")
    file(tmp_path).symlink_to("CLAUDE.md")

    made(tmp_path)

    assert file(tmp_path).is_symlink()
    assert BEGIN in (tmp_path / "CLAUDE.md").read_text(encoding="utf-8")


def test_more_than_codex_reads_is_refused_with_the_lengths(tmp_path: Path) -> None:
    mine = "x" * 32_500 + "\n"
    file(tmp_path).write_text(mine, encoding="utf-8")

    with pytest.raises(GenerationError, match=r"would be 3\d,\d{3} bytes long, .* and 32,768 are read"):
        made(tmp_path)

    assert file(tmp_path).read_text(encoding="utf-8") == mine


def test_the_whole_registry_leaves_the_owner_some_room(tmp_path: Path) -> None:
    generate(registry(), tmp_path, providers=["agents-md"])

    assert file(tmp_path).stat().st_size < 28_000


def test_one_agent_alone_makes_no_section(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave --role out"):
        generate(team(), tmp_path, providers=["agents-md"], roles=["ac-writer"])
