"""A process is known by what nobody moves, and dead only where that can be known."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from core.projects import identity
from tests.unit.other_processes import SAYS_WHO, another, nobody_here, set_clock

on_linux = pytest.mark.skipif(not psutil.LINUX, reason="this system has no /proc")


def parts(of: str) -> list[str]:
    return of.split(":")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc that shows this process, and no other."""
    for name, target in (("sys", "/proc/sys"), ("self", str(os.getpid())), (str(os.getpid()), "/proc/self")):
        (tmp_path / name).symlink_to(target)
    monkeypatch.setattr(identity, "PROC", tmp_path)
    return tmp_path


def test_a_process_lives_until_it_ends() -> None:
    assert not identity.is_dead(identity.own())
    with another() as (process, who):
        assert not identity.is_dead(who)
        process.kill()
        process.wait()
        assert identity.is_dead(who)


@on_linux
def test_a_process_whose_parent_has_not_looked_is_dead() -> None:
    with another() as (process, who):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert identity.is_dead(who)


def test_a_process_that_stands_still_lives() -> None:
    with another() as (process, who):
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert not identity.is_dead(who)


@on_linux
@pytest.mark.parametrize("seconds", [1, -1, 31, 3_600, -3_600])
def test_setting_the_clock_makes_nobody_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    with another() as (_, who):
        before, started = identity.own(), psutil.Process().create_time()
        set_clock(seconds, tmp_path, monkeypatch)

        assert psutil.Process().create_time() == pytest.approx(started + seconds)
        assert identity.own() == before
        assert not identity.is_dead(who)


@on_linux
def test_a_number_that_another_process_has_now_is_told_apart() -> None:
    *place, start = parts(identity.own())
    assert identity.is_dead(":".join([*place, str(int(start) - 1)]))


@on_linux
@pytest.mark.parametrize("part", [0, 1, 2])
def test_nothing_is_known_of_another_place(part: int) -> None:
    """Another host, another boot, another namespace."""
    gone = parts(nobody_here())
    assert identity.is_dead(":".join(gone))
    gone[part] = "1"
    assert not identity.is_dead(":".join(gone))


def test_nothing_is_known_by_what_earlier_versions_wrote() -> None:
    host = parts(identity.own())[0]
    for who in (f"{host}:999999999:1.00", "999999999:1.00", f"{host}:{os.getpid()}:1.00", "999999999", "seed", ""):
        assert not identity.is_dead(who), who


def test_what_is_no_number_harms_nobody() -> None:
    place = ":".join(parts(identity.own())[:3])
    for pid in ("", "x", "self", "-1", "9" * 40):
        assert not identity.is_dead(f"{place}:{pid}:1"), pid


@on_linux
def test_a_process_may_have_any_name() -> None:
    named = f"open('/proc/self/comm', 'w').write('a) Z 1 (b'); {SAYS_WHO}"
    with another(named) as (process, who):
        assert "a) Z 1 (b" in Path(f"/proc/{process.pid}/stat").read_text()
        assert not identity.is_dead(who)
        assert parts(who)[-1].isdecimal()


@on_linux
def test_a_process_that_is_hidden_from_us_is_not_dead(proc: Path) -> None:
    with another() as (_, who):
        assert not (proc / parts(who)[3]).exists()
        assert not identity.is_dead(who)
    assert identity.is_dead(who)


@on_linux
@pytest.mark.parametrize("missing", ["sys", "self"])
def test_where_the_place_cannot_be_read_nothing_is_known(proc: Path, missing: str) -> None:
    """The second is a /proc of another namespace, whose numbers are not ours."""
    (proc / missing).unlink()
    if missing == "self":
        (proc / "1").symlink_to("/proc/self")
        (proc / "self").symlink_to("1")

    assert parts(identity.own())[1:3] == ["?", "?"]
    assert not identity.is_dead(identity.own())
    assert not identity.is_dead(nobody_here())


def test_without_proc_a_start_is_the_same_within_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "IS_LINUX", False)
    host, boot, namespace, pid, start = parts(identity.own())

    def is_dead(pid: str, later: float) -> bool:
        return identity.is_dead(f"{host}:::{pid}:{float(start) + later:.2f}")

    assert (boot, namespace) == ("", "")
    assert not is_dead(pid, 0)
    assert not is_dead(pid, 29)
    assert is_dead(pid, 3_600)
    assert is_dead("999999999", 0)
