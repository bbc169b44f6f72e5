"""What generation does to the files of a folder: nobody's words are lost."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.registry.generation.service import generate
from tests.unit.generation_team import TRIAGE, TWO, WRITER, contents, made, row, statuses, team

FOLDER = WRITER.parent


def manifest(root: Path) -> set[str]:
    return set(json.loads((root / ".apm/generated.json").read_text(encoding="utf-8"))["files"])


def test_a_first_run_writes_every_file_and_the_manifest(tmp_path: Path) -> None:
    report = made(tmp_path)

    assert statuses(report) == {"ac-writer": "new", "intent-triage": "new"}
    assert report.written == (str(WRITER), str(TRIAGE))
    assert sorted(contents(tmp_path)) == [".apm/generated.json", str(WRITER), str(TRIAGE)]


def test_a_second_run_changes_no_byte_and_no_time(tmp_path: Path) -> None:
    made(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    report = made(tmp_path)

    assert set(statuses(report).values()) == {"unchanged"}
    assert report.written == ()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_agent_that_changed_has_its_file_made_again(tmp_path: Path) -> None:
    made(tmp_path)

    report = made(tmp_path, sop="Write better criteria.\n")

    assert statuses(report) == {"ac-writer": "changed", "intent-triage": "unchanged"}
    assert report.written == (str(WRITER),)
    assert "Write better criteria." in (tmp_path / WRITER).read_text(encoding="utf-8")


def test_a_file_that_went_missing_comes_back(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / WRITER).unlink()

    assert statuses(made(tmp_path))["ac-writer"] == "missing"
    assert (tmp_path / WRITER).is_file()


@pytest.mark.parametrize("sop", ["Write criteria.\n", "Write better criteria.\n"])
def test_what_a_hand_wrote_stays_and_the_difference_is_shown(tmp_path: Path, sop: str) -> None:
    made(tmp_path)
    (tmp_path / WRITER).write_text("mine\n", encoding="utf-8")

    report = made(tmp_path, sop=sop)

    assert statuses(report)["ac-writer"] == "edited"
    assert report.refused == (str(WRITER),)
    assert (tmp_path / WRITER).read_text(encoding="utf-8") == "mine\n"
    assert "-mine\n" in dict(report.diffs)[str(WRITER)]
    assert f"+{sop}" in dict(report.diffs)[str(WRITER)]


def test_a_refusal_keeps_no_other_file_from_being_made(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / WRITER).write_text("theirs\n", encoding="utf-8")

    report = made(tmp_path)

    assert statuses(report) == {"ac-writer": "foreign", "intent-triage": "new"}
    assert report.refused == (str(WRITER),)
    assert (tmp_path / WRITER).read_text(encoding="utf-8") == "theirs\n"
    assert (tmp_path / TRIAGE).is_file()


@pytest.mark.parametrize("was_made", [True, False])
def test_force_writes_over_both_and_they_are_apm_s_from_then_on(tmp_path: Path, was_made: bool) -> None:
    if was_made:
        made(tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True, exist_ok=True)
    (tmp_path / WRITER).write_text("mine\n", encoding="utf-8")

    assert made(tmp_path, force=True).refused == ()
    assert statuses(made(tmp_path, sop="Other.\n"))["ac-writer"] == "changed"


def test_a_file_that_is_as_apm_would_make_it_is_apm_s_without_a_manifest(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / ".apm/generated.json").unlink()

    assert set(statuses(made(tmp_path)).values()) == {"unchanged"}
    assert statuses(made(tmp_path, sop="Other.\n"))["ac-writer"] == "changed"


def test_line_ends_that_a_checkout_changed_are_nobody_s_edit(tmp_path: Path) -> None:
    made(tmp_path)
    text = (tmp_path / WRITER).read_bytes()
    (tmp_path / WRITER).write_bytes(text.replace(b"\n", b"\r\n"))

    assert statuses(made(tmp_path))["ac-writer"] == "unchanged"
    assert statuses(made(tmp_path, sop="Other.\n"))["ac-writer"] == "changed"


def test_bytes_that_are_no_text_count_as_somebody_s(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / WRITER).write_bytes(b"\xff\xfe\x00")

    assert statuses(made(tmp_path))["ac-writer"] == "edited"
    assert (tmp_path / WRITER).read_bytes() == b"\xff\xfe\x00"


def test_a_difference_of_any_length_is_shown_bounded(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / WRITER).write_text("mine\n" * 5_000, encoding="utf-8")
    (tmp_path / TRIAGE).write_text("x" * 1_000_000, encoding="utf-8")

    diffs = dict(made(tmp_path).diffs)

    assert diffs[str(WRITER)].count("\n") == 401
    assert "more lines" in diffs[str(WRITER)]
    assert "too long to compare" in diffs[str(TRIAGE)]


def test_an_orphan_is_told_and_stays_until_it_is_pruned(tmp_path: Path) -> None:
    made(tmp_path)
    less = team(row("intent-triage"))

    told = generate(less, tmp_path)[0]
    assert statuses(told) == {"ac-writer": "orphan", "intent-triage": "unchanged"}
    assert (told.pruned, (tmp_path / WRITER).is_file()) == ((), True)

    assert generate(less, tmp_path, prune=True)[0].pruned == (str(WRITER),)
    assert not (tmp_path / WRITER).exists()
    assert statuses(generate(less, tmp_path)[0]) == {"intent-triage": "unchanged"}


def test_an_orphan_that_a_hand_changed_is_pruned_by_force_only(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / WRITER).write_text("mine\n", encoding="utf-8")
    less = team(row("intent-triage"))

    kept = generate(less, tmp_path, prune=True)[0]
    assert (statuses(kept)["ac-writer"], kept.refused) == ("edited-orphan", (str(WRITER),))
    assert (tmp_path / WRITER).read_text(encoding="utf-8") == "mine\n"

    assert generate(less, tmp_path, prune=True, force=True)[0].pruned == (str(WRITER),)


def test_an_orphan_that_is_gone_already_is_forgotten_and_a_missing_file_is_not(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / WRITER).unlink()
    (tmp_path / TRIAGE).unlink()
    third = row("risk-notary")

    generate(team(row("intent-triage"), third), tmp_path, roles=["risk-notary"])
    assert str(WRITER) in manifest(tmp_path)

    report = generate(team(row("intent-triage"), third), tmp_path)[0]
    assert statuses(report) == {"intent-triage": "missing", "risk-notary": "unchanged"}
    assert str(WRITER) not in manifest(tmp_path)


def test_pruning_takes_away_the_folders_that_apm_made_and_no_others(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    made(tmp_path)

    generate((), tmp_path, prune=True)

    assert sorted(path.name for path in tmp_path.iterdir()) == [".apm", ".claude"]
    assert list((tmp_path / ".claude").iterdir()) == []


def test_pruning_leaves_a_folder_in_which_somebody_keeps_a_file(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / FOLDER / "notes.md").write_text("mine\n", encoding="utf-8")

    generate((), tmp_path, prune=True)

    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["notes.md"]


def test_pruning_touches_no_file_of_another_provider(tmp_path: Path) -> None:
    generate(TWO, tmp_path, providers=["claude-code", "codex"])

    generate((), tmp_path, providers=["codex"], prune=True)

    assert (tmp_path / WRITER).is_file()
    assert not (tmp_path / ".codex").exists()


def test_pruning_touches_nothing_that_a_manifest_names_where_apm_makes_no_file(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "notes.md").write_bytes((tmp_path / WRITER).read_bytes())
    path = tmp_path / ".apm/generated.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said["files"]["notes.md"] = said["files"][str(WRITER)]
    path.write_text(json.dumps(said), encoding="utf-8")

    report = generate(TWO, tmp_path, prune=True, force=True)[0]

    assert report.pruned == ()
    assert (tmp_path / "notes.md").is_file()


def test_another_provider_s_file_is_not_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "templates/house"
    folder.mkdir(parents=True)
    lines = ["title: House", "loaded_by: us", "format: json", "template: a.j2", "fields: {name: role}"]
    lines.append(f'paths: {{sub-agent: "{FOLDER}/{{role}}.md"}}')
    (folder / "provider.yaml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "a.j2").write_text('{"name": {{ agent.role | json_string }}}', encoding="utf-8")
    made(tmp_path)

    report = generate(TWO, tmp_path, providers=["house"], templates=folder.parent)[0]

    assert set(statuses(report).values()) == {"foreign"}
    assert set(statuses(made(tmp_path)).values()) == {"unchanged"}


def test_pruning_for_some_roles_leaves_the_orphans_of_others(tmp_path: Path) -> None:
    made(tmp_path)
    less = team(row("intent-triage"))

    report = generate(less, tmp_path, roles=["intent-triage"], prune=True)[0]

    assert (statuses(report), report.pruned) == ({"intent-triage": "unchanged"}, ())
    assert (tmp_path / WRITER).is_file()


def test_a_check_writes_nothing_at_all(tmp_path: Path) -> None:
    report = made(tmp_path, check=True)

    assert [file.status for file in report.drifted] == ["new", "new"]
    assert list(tmp_path.iterdir()) == []


def test_a_check_of_what_is_as_it_should_be_finds_nothing(tmp_path: Path) -> None:
    made(tmp_path)

    assert made(tmp_path, check=True).drifted == ()


SOPS = ("One.\n", "Two.\n", "Three.\n")
STEPS = st.one_of(
    st.tuples(st.just("generate"), st.sampled_from(SOPS)),
    st.tuples(st.just("prune"), st.sampled_from(SOPS)),
    st.tuples(st.just("write"), st.sampled_from(["mine\n", "also mine\n"])),
    st.tuples(st.just("delete"), st.just("")),
)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, max_size=8))
def test_whatever_happens_what_a_hand_wrote_is_never_lost(steps: list[tuple[str, str]]) -> None:
    by_hand = ""
    with tempfile.TemporaryDirectory() as folder:
        root, file = Path(folder), Path(folder) / WRITER
        for step, text in steps:
            if step == "generate":
                made(root, sop=text)
            elif step == "prune":
                generate(team(row("intent-triage", sop_content=text)), root, prune=True)
            elif step == "write":
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(by_hand := text, encoding="utf-8")
            else:
                file.unlink(missing_ok=True)
                by_hand = ""

            if by_hand:
                assert file.read_text(encoding="utf-8") == by_hand
            elif step == "generate":
                assert f"---\n{text}" in file.read_text(encoding="utf-8")
            elif step == "prune":
                assert not file.exists()
