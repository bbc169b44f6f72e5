"""What the doctor says of the channels outside: their names and schemes, and never a URL."""

from __future__ import annotations

from core.contract import Json
from tests.unit.command_line import CommandLine
from tests.unit.notice_place import write_channels

SECRET = "s3cr3t-p4ssw0rd"


def findings(line: CommandLine) -> dict[str, Json]:
    ended = line("doctor", "--json")
    assert SECRET not in ended.out + ended.err
    return {finding["name"]: finding for finding in ended.json}


def test_without_channels_the_console_and_the_file_are_enough(line: CommandLine) -> None:
    found = findings(line)["notifications"]

    assert (found["status"], found["found"]) == ("ok", "console and file; no channel outside is set up")


def test_each_channel_is_looked_at_and_nothing_is_sent(line: CommandLine) -> None:
    write_channels(
        line.folder / "state",
        {"name": "mail", "url": f"mailto://ada:{SECRET}@example.org"},
        {"name": "odd", "url": f"nosuch://ada:{SECRET}@example.org"},
        {"name": "empty", "url": "${APM_TEST_NOT_SET}"},
    )
    found = findings(line)

    assert (found["mail"]["status"], found["mail"]["found"]) == ("ok", "mailto: Apprise knows it")
    assert (found["odd"]["status"], found["odd"]["found"]) == (
        "problem",
        "nosuch: Apprise cannot read the channel's URL",
    )
    assert "needs the variable APM_TEST_NOT_SET" in found["empty"]["found"]


def test_passwords_that_others_can_read_are_a_problem(line: CommandLine) -> None:
    write_channels(line.folder / "state", {"name": "mail", "url": f"mailto://ada:{SECRET}@example.org"})
    path = line.folder / "state" / "notifications.yaml"
    path.chmod(0o644)

    found = findings(line)["notifications.yaml"]

    assert (found["status"], found["remedy"]) == ("problem", f"Run `chmod 600 {path}`.")


def test_a_broken_file_is_told_with_its_line(line: CommandLine) -> None:
    (line.folder / "state" / "notifications.yaml").write_text(f"version: 1\nchannels:\n  - url: {SECRET}\n")

    found = findings(line)["notifications"]

    assert found["status"] == "problem"
    assert "notifications.yaml:3: channels[0].name: is missing" in found["found"]
