"""The file of channels: what it may say, what is said of what it may not, and that no URL of it is ever shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import UsageError
from core.governance.notices.channels import PAGING, SUBJECTS, Channel, Channels, read_channels
from core.registry.documents import DocumentError

SECRET = "s3cr3t-p4ssw0rd"


def read(state: Path, text: str) -> Channels:
    path = state / "notifications.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return read_channels(state)


def refused(state: Path, text: str) -> str:
    with pytest.raises(DocumentError) as raised:
        read(state, text)
    return str(raised.value)


def test_without_a_file_there_are_no_channels_outside(tmp_path: Path) -> None:
    assert read_channels(tmp_path) == Channels()


def test_a_channel_takes_all_that_pages_unless_it_says_less(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
version: 1
channels:
  - name: mail
    url: mailto://ada:pw@example.org
  - name: on-call
    url: slack://${TEAM}/${TOKEN}
    urgencies: [IMMEDIATE]
    what: [questions, reminders]
""",
    )
    assert [(c.name, c.urgencies, c.what) for c in found.outside] == [
        ("mail", PAGING, tuple(SUBJECTS)),
        ("on-call", ("IMMEDIATE",), ("questions", "reminders")),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "notifications.yaml:1: is no mapping"),
        ("version: 2\nchannels: []\n", "notifications.yaml:1: version: must be 1"),
        (
            "version: 1\nchannels:\n- {name: a, url: 'json://a.b/${ANTHROPIC_API_KEY}'}\n",
            "names ANTHROPIC_API_KEY, which is for a model's provider; no channel is told it",
        ),
        (
            "version: 1\nchannels:\n- {name: a, url: '${openai_api_key}'}\n",
            "names openai_api_key, which is for a model's provider",
        ),
        ("version: 1\nchannels: 3\n", "notifications.yaml:2: channels: must be a list"),
        (
            "version: 1\nchanels: []\nchannels: []\n",
            "notifications.yaml:2: chanels: is not a key known here; did you mean",
        ),
        ("version: 1\nchannels:\n  - name: a\n", "channels[0].url: is missing"),
        ("version: 1\nchannels:\n  - url: json://h\n", "channels[0].name: is missing"),
        (
            "version: 1\nchannels:\n  - name: Mail box\n    url: json://h\n",
            "notifications.yaml:3: channels[0].name: must be",
        ),
        ("version: 1\nchannels:\n  - name: console\n    url: json://h\n", "is a channel of the house"),
        ("version: 1\nchannels:\n  - name: a\n    url: 7\n", "channels[0].url: must be text"),
        ("version: 1\nchannels:\n  - name: a\n    url: nowhere\n", "must begin with a scheme"),
        ("version: 1\nchannels:\n  - name: a\n    url: json://h json://i\n", "holds spaces"),
        ("version: 1\nchannels:\n  - name: a\n    url: json://${}/x\n", "names no variable"),
        ("version: 1\nchannels:\n  - name: a\n    url: json://h\n    urgencies: [WEEKLY]\n", "never pages"),
        ("version: 1\nchannels:\n  - name: a\n    url: json://h\n    urgencies: [DALY]\n", "did you mean 'DAILY'?"),
        ("version: 1\nchannels:\n  - name: a\n    url: json://h\n    what: [briefing, briefing]\n", "names one twice"),
        ("version: 1\nchannels:\n  - name: a\n    url: json://h\n    what: []\n", "must be a list of questions"),
        (
            "version: 1\nchannels:\n  - name: a\n    url: json://h\n  - name: a\n    url: json://i\n",
            "5: channels[1].name: stands twice",
        ),
        ("version: 1\nchannels: [7]\n", "channels[0]: must be a mapping"),
        ("version: 1\nchannels:\n  - name: a\n   url: json://h\n", "is not YAML"),
    ],
)
def test_what_the_file_may_not_say_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text)


@pytest.mark.parametrize(
    "line",
    [
        f"url: ftp//u:{SECRET}@host",
        f"url: json://u:{SECRET}@host more",
        f"url: [json://u:{SECRET}@host]",
        f"json://u:{SECRET}@host: url",
        f'url: "json://u:{SECRET}@\\thost"',
        f"url: json://u:{SECRET}@${{}}",
        f"address: json://u:{SECRET}@host",
    ],
)
def test_what_is_wrong_with_a_url_is_told_without_it(tmp_path: Path, line: str) -> None:
    said = refused(tmp_path, f"version: 1\nchannels:\n  - name: a\n    {line}\n")

    assert SECRET not in said


@given(url=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), max_size=80).map(lambda rest: f"zq0{rest}"))
def test_no_url_is_ever_shown(tmp_path_factory: pytest.TempPathFactory, url: str) -> None:
    state = tmp_path_factory.mktemp("state")

    said = refused(state, json.dumps({"version": 1, "channels": [{"name": "a", "url": url, "extra": 1}]}))

    assert url not in said


def test_a_channel_shows_its_name_and_nothing_of_its_url() -> None:
    channel = Channel("mail", f"mailto://ada:{SECRET}@example.org")

    assert SECRET not in repr(channel)
    assert SECRET not in repr(Channels((channel,)))
    assert channel.scheme({}) == "mailto"


def test_a_variable_that_is_a_part_of_the_url_is_quoted_as_urls_quote() -> None:
    channel = Channel("mail", "mailto://ada:${PASSWORD}@example.org")

    assert channel.address({"PASSWORD": "a/b@c:d"}) == "mailto://ada:a%2Fb%40c%3Ad@example.org"


def test_a_variable_that_is_the_whole_url_stands_as_it_is() -> None:
    channel = Channel("team", "${TEAM_URL}")

    assert channel.address({"TEAM_URL": "slack://a/b/c\n"}) == "slack://a/b/c"
    assert (channel.scheme({"TEAM_URL": "slack://a/b/c"}), channel.scheme({})) == ("slack", "")


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(UsageError, match="mail needs the variable PASSWORD, which is not set"):
        Channel("mail", "mailto://ada:${PASSWORD}@example.org").address({"PASSWORD": ""})


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("mailto://ada:hunter2@example.org", True),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", True),
        ("mailto://ada:${PASSWORD}@example.org", False),
        ("${TEAM_URL_WITH_A_LONG_NAME}", False),
        ("json://127.0.0.1:8080/hook", False),
    ],
)
def test_a_secret_in_the_file_is_told_from_one_in_the_environment(url: str, holds: bool) -> None:
    assert Channel("a", url).holds_secret is holds


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_is_noticed(tmp_path: Path, mode: int, open_to_others: bool) -> None:
    path = tmp_path / "notifications.yaml"
    path.write_text("version: 1\nchannels: []\n")
    path.chmod(mode)

    assert read_channels(tmp_path).is_readable_by_others is open_to_others
