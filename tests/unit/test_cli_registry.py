"""`apm agents import` and `export`, and every other command while the team's files are broken."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.registry.sources import replace_file
from core.workspace import Workspace
from tests.unit.command_line import CommandLine
from tests.unit.test_importing import escalated, grant
from tui.cli import options, registry


def file_of(line: CommandLine) -> Path:
    return line.folder / "agents.yaml"


def edit(line: CommandLine, old: str = "revision_rounds: 3", new: str = "revision_rounds: 5") -> None:
    file_of(line).write_text(file_of(line).read_text().replace(old, new))


def break_it(line: CommandLine) -> str:
    """Break the file; how the line at fault is called."""
    at = file_of(line).read_text().split("revision_rounds")[0].count("\n") + 1
    edit(line, new="revision_rounds: many")
    return f"agents.yaml:{at}: defaults.limits.revision_rounds"


def answer(line: CommandLine, yes: bool) -> None:
    """A terminal with a person before it who is asked once."""
    line.monkeypatch.setattr(options, "has_screen", lambda: True)
    line.monkeypatch.setattr(registry, "_agreed", lambda: yes)


def test_an_edit_is_shown_and_brought_in(line: CommandLine) -> None:
    edit(line)

    ended = line("agents", "import")

    assert (ended.code, ended.out) == (0, "~ defaults.limits.revision_rounds: 3 → 5\n")
    assert "nothing changes" in line("agents", "import").out


def test_a_dry_run_changes_nothing(line: CommandLine) -> None:
    edit(line)

    first, second = (line("agents", "import", "--dry-run", "--json").json for _ in range(2))

    assert first == second
    assert (first["applied"], first["dry_run"]) == (False, True)
    assert [s["place"] for s in first["changes"]["sections"]] == ["defaults.limits.revision_rounds"]


@pytest.mark.parametrize(("yes", "code"), [(True, 0), (False, 1)])
def test_a_terminal_is_asked_first(line: CommandLine, yes: bool, code: int) -> None:
    edit(line)
    answer(line, yes)

    assert line("agents", "import").code == code

    left = line("agents", "import", "--dry-run", "--json").json["changes"]["sections"]
    assert bool(left) is not yes


def test_what_was_not_shown_is_not_brought_in(line: CommandLine) -> None:
    edit(line)
    answer(line, True)
    overlay = line.folder / "agents.d" / "late.yaml"

    def agree() -> bool:
        overlay.parent.mkdir()
        overlay.write_text("version: 1\nagents:\n  - role: ac-writer\n    runtime: human\n", encoding="utf-8")
        return True

    line.monkeypatch.setattr(registry, "_agreed", agree)
    ended = line("agents", "import")

    assert ended.code == 2
    assert "have changed since this was shown" in ended.err


def test_questions_are_told_although_an_engine_was_quicker(line: CommandLine) -> None:
    grant(line.folder, "autonomous")
    file_of(line).write_text(escalated(file_of(line).read_text()))
    update = Workspace.update_registry

    def after_another(workspace: Workspace) -> object:
        update(workspace)
        return update(workspace)

    line.monkeypatch.setattr(Workspace, "update_registry", after_another)

    assert line("agents", "import", "--json").json["questions"] == [1]


def test_yes_asks_nobody(line: CommandLine) -> None:
    edit(line)
    answer(line, False)

    assert line("agents", "import", "--yes").code == 0


def test_another_file_takes_the_place_and_the_old_one_stays_beside_it(line: CommandLine, tmp_path: Path) -> None:
    old = file_of(line).read_text()
    new = old.replace("revision_rounds: 3", "revision_rounds: 5")
    (tmp_path / "new.yaml").write_text(new)

    done = line("agents", "import", tmp_path / "new.yaml", "--json").json

    assert (done["applied"], [s["new"] for s in done["changes"]["sections"]]) == (True, [5])
    assert done["changes"]["changed"] == []
    assert file_of(line).read_text() == new
    assert file_of(line).with_name("agents.yaml.bak").read_text() == old
    assert sorted(p.name for p in line.folder.iterdir()) == ["agents.yaml", "agents.yaml.bak", "state"]


def test_a_file_may_come_from_standard_input(line: CommandLine) -> None:
    new = file_of(line).read_text().replace("revision_rounds: 3", "revision_rounds: 5")

    assert line("agents", "import", "-", stdin=new).code == 0
    assert file_of(line).read_text() == new


def test_a_broken_file_is_refused_by_its_own_name_and_nothing_is_replaced(line: CommandLine, tmp_path: Path) -> None:
    old = file_of(line).read_text()
    (tmp_path / "new.yaml").write_text(old.replace("runtime: auto", "runtime: autoo"))

    ended = line("agents", "import", tmp_path / "new.yaml")

    assert ended.code == 2
    assert "new.yaml:" in ended.err
    assert "did you mean 'auto'?" in ended.err
    assert file_of(line).read_text() == old


def test_another_file_mends_a_broken_one(line: CommandLine, tmp_path: Path) -> None:
    good = file_of(line).read_text()
    (tmp_path / "good.yaml").write_text(good)
    break_it(line)

    assert line("agents", "import", tmp_path / "good.yaml").code == 0
    assert file_of(line).read_text() == good


def test_export_gives_back_the_file_to_the_letter(line: CommandLine) -> None:
    assert line("agents", "export").out == file_of(line).read_text()
    assert line("agents", "export", file_of(line), "--json").json["changed"] is False
    assert not file_of(line).with_name("agents.yaml.bak").exists()


def test_export_to_a_new_file_holds_the_agents_of_overlays(line: CommandLine, tmp_path: Path) -> None:
    (line.folder / "agents.d").mkdir()
    overlay = "version: 1\nagents:\n  - role: ac-writer\n    runtime: human # Ada\n"
    (line.folder / "agents.d" / "team.yaml").write_text(overlay)

    ended = line("agents", "export", tmp_path / "all.yaml", "--json")

    assert ended.json["changed"] is True
    written = {entry["role"]: entry for entry in yaml.safe_load((tmp_path / "all.yaml").read_text())["agents"]}
    assert written["ac-writer"]["runtime"] == "human"
    assert ended.json["agents"] == len(written)


def test_export_overwrites_nothing_that_is_no_registry(line: CommandLine, tmp_path: Path) -> None:
    for name, text in (("README.md", "# Hello\n"), ("broken.yaml", "version: 2\n"), ("empty.yaml", "")):
        (tmp_path / name).write_text(text)

        ended = line("agents", "export", tmp_path / name)

        assert ended.code == 2
        assert f"{name}:1: " in ended.err
        assert (tmp_path / name).read_text() == text


def test_a_broken_file_of_the_team_is_written_anew_from_the_database(line: CommandLine, tmp_path: Path) -> None:
    break_it(line)

    ended = line("agents", "export", tmp_path / "rescued.yaml")

    assert ended.code == 0
    assert line("agents", "import", tmp_path / "rescued.yaml", "--dry-run", "--json").json["changes"] == {
        **{"added": [], "changed": [], "inactive": [], "back": []},
        **{"kinds": [], "authority": [], "contradictions": [], "sections": []},
    }


@pytest.mark.parametrize(
    "words",
    [
        ("agents", "list"),
        ("agents", "show", "technical"),
        ("escalation", "list"),
        ("work-item", "list"),
        ("project", "list"),
        ("briefing",),
        ("audit", "verify"),
    ],
    ids=" ".join,
)
def test_who_only_reads_works_with_the_team_as_it_was(line: CommandLine, words: tuple[str, ...]) -> None:
    before = line(*words, "--json")
    at_fault = break_it(line)

    ended = line(*words, "--json")

    assert ended.code == 0
    if words[0] != "audit":
        assert ended.json == before.json
    warnings = [text for text in ended.err.splitlines() if at_fault in text]
    assert len(warnings) == 1
    assert warnings[0].endswith("Until that is mended, the team stays as it was.")


@pytest.mark.parametrize("words", [("run", "--all"), ("work-item", "create", "x")], ids=" ".join)
def test_who_sets_agents_to_work_says_the_error(line: CommandLine, words: tuple[str, ...]) -> None:
    at_fault = break_it(line)

    ended = line(*words)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"apm: {at_fault}")


def test_a_broken_file_is_on_record_once_and_so_is_its_mending(line: CommandLine) -> None:
    good = file_of(line).read_text()
    break_it(line)
    for _ in range(3):
        line("agents", "list")
    file_of(line).write_text(good)
    line("agents", "list")

    kinds = [event["kind"] for event in line("audit", "tail", "--json").json]

    assert [kind for kind in kinds if kind in ("agents.refused", "agents.mended")] == [
        "agents.refused",
        "agents.mended",
    ]


def test_export_into_a_folder_that_is_not_there_names_the_folder(line: CommandLine, tmp_path: Path) -> None:
    ended = line("agents", "export", tmp_path / "nowhere" / "x.yaml")

    assert (ended.code, ended.err) == (2, f"apm: There is no folder {tmp_path / 'nowhere'} to write x.yaml into.\n")


def test_a_file_that_cannot_be_written_is_named_and_not_its_draft(tmp_path: Path) -> None:
    with pytest.raises(OSError) as refused:  # noqa: PT011 — which one is the system's to say
        replace_file(tmp_path / "nowhere" / "x.yaml", b"")

    assert refused.value.filename == str(tmp_path / "nowhere" / "x.yaml")
