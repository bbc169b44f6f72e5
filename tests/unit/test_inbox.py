"""Files in `state/inbox/`: applied or refused once, then moved; what is no decisions file stays where it is."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import time
from typing import Any

import pytest

from core.orchestration import inbox
from core.registry.generation.service import generate
from core.workspace import Workspace
from tests.unit.generation_team import read_team
from tests.unit.inbox_tray import KINDS, Tray, grants


async def test_a_file_is_applied_and_moved(tray: Tray) -> None:
    tray.drop("monday.json", grants("db_schema", "caching"))
    await tray.inbox.look()
    assert (tray.mode("db_schema"), tray.mode("caching")) == ("escalate", "escalate")
    assert (tray.names(), tray.names("applied")) == ([], ["monday.json"])
    assert tray.told == []
    assert [e["name"] for e in tray.events("inbox.applied")] == ["monday.json"]


async def test_a_file_that_is_half_legal_changes_nothing_and_its_reasons_lie_beside_it(tray: Tray) -> None:
    tray.drop("tuesday.json", grants("db_schema", "bikeshed", "security", mode="autonomous"))
    before = tray.events("authority.granted")
    await tray.inbox.look()
    assert tray.events("authority.granted") == before
    assert tray.names("rejected") == ["tuesday.json", "tuesday.json.reasons.txt"]
    head, _, *lines = tray.reasons("tuesday.json").splitlines()
    assert head.startswith("tuesday.json was refused as a whole on 20")
    assert [line.partition(":")[0] for line in lines] == ["decisions[1]", "decisions[2]"]
    assert "security has a ceiling" in lines[1]
    (event,) = tray.events("inbox.rejected")
    assert (event["name"], event["count"]) == ("tuesday.json", 2)


async def test_a_grant_reaches_the_generated_files(tray: Tray) -> None:
    def generated() -> str:
        (path,) = (tray.state.parent / ".claude").rglob("technical.md")
        return path.read_text(encoding="utf-8")

    with Workspace.open(tray.state.parent) as workspace:
        generate(read_team(workspace), tray.state.parent, roles=["technical"])
    before = generated()
    tray.drop("monday.json", grants("db_schema"))
    await tray.inbox.look()
    assert generated() != before


async def test_files_that_cannot_be_made_anew_leave_the_decisions_applied(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.governance.scope import effects

    def broken(*_: Any) -> Any:
        raise RuntimeError("no templates")

    monkeypatch.setattr(effects, "regenerate", broken)
    tray.drop("monday.json", grants("db_schema"))
    await tray.inbox.look()
    assert (tray.mode("db_schema"), tray.names("applied")) == ("escalate", ["monday.json"])


async def test_files_are_taken_in_the_order_of_their_names(tray: Tray) -> None:
    for name, kind in zip(("c", "a", "b"), KINDS, strict=False):
        tray.drop(f"{name}.json", grants(kind))
    await tray.inbox.look()
    assert [e["name"] for e in tray.events("inbox.applied")] == ["a.json", "b.json", "c.json"]


async def test_what_was_put_there_while_nobody_drove_is_read_at_the_start_and_what_comes_later_when_it_comes(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOK_MS", 60_000)
    tray.drop("early.json", grants("db_schema"))
    tray.follow()
    await tray.until(tray.is_applied("early.json"))
    tray.drop("late.json", grants("caching"))
    await tray.until(tray.is_applied("early.json", "late.json"))


async def test_where_nothing_can_be_watched_the_folder_is_looked_at(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(watchfiles, "awatch", refuse)
    monkeypatch.setattr(inbox, "REST_SECONDS", 0.01)
    tray.follow()
    for number, kind in enumerate(KINDS[:3], 1):
        tray.drop("again.json", grants(kind))
        await tray.until(tray.is_applied(*("again.json", "again.2.json", "again.3.json")[:number]))


async def test_an_inbox_that_is_taken_away_and_made_anew_is_followed(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOK_MS", 50)
    monkeypatch.setattr(inbox, "REST_SECONDS", 0.01)
    tray.follow()
    tray.drop("a.json", grants("db_schema"))
    await tray.until(tray.is_applied("a.json"))
    shutil.rmtree(tray.folder)
    await tray.until(tray.folder.is_dir)
    tray.drop("b.json", grants("caching"))
    await tray.until(tray.is_applied("b.json"))


async def test_a_file_that_is_still_being_written_is_waited_for(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.01)
    text, path = grants("db_schema"), tray.folder / "slow.json"
    path.write_text(text[:20], encoding="utf-8")
    read = inbox._read

    def read_while_it_grows(file: inbox.Dropped) -> Any:
        found = read(file)
        if file.size < len(text):
            path.write_text(text[: file.size + 40], encoding="utf-8")
        return found

    monkeypatch.setattr(inbox, "_read", read_while_it_grows)
    await tray.inbox.look()
    assert tray.names("applied") == ["slow.json"]
    assert tray.events("inbox.rejected") == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the decisions are not JSON: line 1, column 1"),
        (b'{"decided_by": "ada", "decis', "the decisions are not JSON: line 1, column 23"),
        (b'{"decided_by": "\xff\xfe"}', "the file is not UTF-8 text (byte 16)"),
    ],
)
async def test_a_file_that_stays_broken_is_refused_after_a_moment(tray: Tray, content: bytes, told: str) -> None:
    tray.drop("broken.json", content)
    await tray.inbox.look()
    assert told in tray.reasons("broken.json")
    assert tray.names() == []


@pytest.mark.parametrize("content", [b"not json\n", b'{"decided_by": "ada", "decis'])
async def test_a_broken_file_that_has_lain_there_is_refused_at_once(
    tray: Tray, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 3600)
    lain = time.time() - 3601
    os.utime(tray.drop("broken.json", content), (lain, lain))
    async with asyncio.timeout(20):
        await tray.inbox.look()
    assert "the decisions are not JSON" in tray.reasons("broken.json")
    assert tray.names() == []


async def test_a_broken_file_of_a_time_that_is_yet_to_come_is_waited_for_once(tray: Tray) -> None:
    ahead = time.time() + 86_400
    os.utime(tray.drop("broken.json", "{"), (ahead, ahead))
    assert inbox._patience(tray.folder / "broken.json") == inbox.PATIENCE_SECONDS
    async with asyncio.timeout(20):
        await tray.inbox.look()
    assert tray.names("rejected") == ["broken.json", "broken.json.reasons.txt"]


async def test_the_last_look_leaves_a_file_that_still_grows(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.01)
    path, read = tray.drop("slow.json", "{"), inbox._read

    def read_while_it_grows(file: inbox.Dropped) -> Any:
        found = read(file)
        path.write_text("{" * (file.size + 1), encoding="utf-8")
        return found

    monkeypatch.setattr(inbox, "_read", read_while_it_grows)
    async with asyncio.timeout(20):
        await tray.inbox.look(last=True)
    assert (tray.names(), tray.names("rejected")) == (["slow.json"], [])


async def test_two_looks_at_once_deal_with_a_file_once(tray: Tray) -> None:
    for kind in ("db_schema", "caching"):
        tray.drop(f"{kind}.json", grants(kind))
    tray.drop("broken.json", "{")
    await asyncio.gather(tray.inbox.look(), tray.inbox.look(last=True))
    assert tray.names("applied") == ["caching.json", "db_schema.json"]
    assert tray.names("rejected") == ["broken.json", "broken.json.reasons.txt"]
    assert (len(tray.events("inbox.applied")), len(tray.events("inbox.rejected"))) == (2, 1)


async def test_a_broken_file_holds_up_no_other(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 3600)
    tray.drop("a.json", "{")
    tray.drop("b.json", grants("db_schema"))
    looking = asyncio.create_task(tray.inbox.look())
    await tray.until(lambda: (tray.names(), tray.names("applied")) == (["a.json"], ["b.json"]))
    looking.cancel()


async def test_links_folders_hidden_files_pipes_and_other_files_are_left_alone(tray: Tray) -> None:
    elsewhere = tray.state / "elsewhere.json"
    elsewhere.write_text(grants("db_schema"), encoding="utf-8")
    (tray.folder / "link.json").symlink_to(elsewhere)
    (tray.folder / "folder.json").mkdir()
    os.mkfifo(tray.folder / "pipe.json")
    for name in (".hidden.json", "notes.txt", "monday.json~"):
        tray.drop(name, grants("db_schema"))
    for _ in range(3):
        await tray.inbox.look()
    assert tray.mode("db_schema") == "autonomous"
    assert tray.names() == [".hidden.json", "link.json", "monday.json~", "notes.txt"]
    assert tray.told == [
        f"{name} in the inbox is left alone: decisions are files that end in .json."
        for name in ("monday.json~", "notes.txt")
    ]


async def test_a_file_that_becomes_a_link_while_it_is_looked_at_is_not_followed(tray: Tray) -> None:
    path = tray.drop("monday.json", grants("db_schema"))
    moved = path.rename(tray.state / "moved.json")
    path.symlink_to(moved)
    signature = inbox._seen(moved)
    assert signature is not None
    await tray.inbox._deal_with(inbox.Dropped(path, signature), is_patient=False)
    assert tray.mode("db_schema") == "autonomous"
    assert tray.told == [
        "monday.json stays in the inbox: it cannot be read or moved: too many levels of symbolic links."
    ]


async def test_a_file_that_is_another_one_than_was_seen_is_read_at_the_next_look(tray: Tray) -> None:
    path = tray.drop("monday.json", grants("db_schema"))
    signature = inbox._seen(path)
    assert signature is not None
    path.write_text(grants("caching", "performance"), encoding="utf-8")

    await tray.inbox._deal_with(inbox.Dropped(path, signature), is_patient=False)
    assert (tray.mode("caching"), tray.names()) == ("autonomous", ["monday.json"])

    await tray.inbox.look()
    assert (tray.mode("caching"), tray.names("applied")) == ("escalate", ["monday.json"])


async def test_a_file_that_changes_between_reading_and_moving_stays_and_is_read_again(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    tray.drop("monday.json", grants("db_schema"))
    move = inbox._move

    def change_then_move(*arguments: Any) -> Any:
        monkeypatch.setattr(inbox, "_move", move)
        tray.drop("monday.json", grants("caching"))
        return move(*arguments)

    monkeypatch.setattr(inbox, "_move", change_then_move)
    await tray.inbox.look()
    assert (tray.mode("db_schema"), tray.mode("caching")) == ("escalate", "escalate")
    assert (tray.folder / "applied" / "monday.json").read_text(encoding="utf-8") == grants("caching")
    assert tray.names("applied") == ["monday.json"]


async def test_names_never_collide(tray: Tray) -> None:
    for kind in KINDS[:3]:
        tray.drop("same.json", grants(kind))
        await tray.inbox.look()
    for number in range(3):
        tray.drop("same.json", grants(f"bikeshed{number}"))
        await tray.inbox.look()
    contents = {(tray.folder / "applied" / name).read_text(encoding="utf-8") for name in tray.names("applied")}
    assert contents == {grants(kind) for kind in KINDS[:3]}
    assert tray.names("rejected") == sorted(
        f"{name}{suffix}" for name in ("same.json", "same.2.json", "same.3.json") for suffix in ("", ".reasons.txt")
    )
    assert "'bikeshed1'" in tray.reasons("same.2.json")


async def test_a_very_long_name_can_be_refused_too(tray: Tray) -> None:
    tray.drop(f"{'x' * 240}.json", "[]")
    await tray.inbox.look()
    assert tray.names() == []
    assert len(tray.names("rejected")) == 2
