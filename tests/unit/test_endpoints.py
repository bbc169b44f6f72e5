"""Which provider's API the environment names, and that its key is not told."""

from __future__ import annotations

import pytest

from core.contract import UsageError
from core.runtimes.models.anthropic_api import endpoint_from
from core.runtimes.models.calling import asked_rest
from core.runtimes.models.endpoints import NO_KEY, Endpoint, is_loopback


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({}, None),
        ({"ANTHROPIC_API_KEY": "  "}, None),
        ({"ANTHROPIC_API_KEY": "k"}, ("https://api.anthropic.com", "k")),
        ({"ANTHROPIC_AUTH_TOKEN": "t"}, ("https://api.anthropic.com", "t")),
        ({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_AUTH_TOKEN": "t"}, ("https://api.anthropic.com", "k")),
        ({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://gate.example"}, ("https://gate.example", "k")),
        ({"ANTHROPIC_BASE_URL": "https://gate.example"}, None),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1.example"}, None),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:8080"}, ("http://127.0.0.1:8080", NO_KEY)),
        ({"ANTHROPIC_BASE_URL": "http://[::1]:8080"}, ("http://[::1]:8080", NO_KEY)),
        ({"ANTHROPIC_BASE_URL": "http://localhost:8080"}, ("http://localhost:8080", NO_KEY)),
    ],
)
def test_a_key_or_a_server_on_this_machine_makes_an_endpoint(
    environ: dict[str, str], endpoint: tuple[str, str] | None
) -> None:
    found = endpoint_from(environ)

    assert (None if found is None else (found.base_url, found.api_key)) == endpoint


@pytest.mark.parametrize(
    "url",
    ["gate.example", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:99999", "http://a:hunter2@:x"],
)
def test_an_address_that_is_none_is_bad_usage_and_is_not_quoted(url: str) -> None:
    with pytest.raises(UsageError, match="ANTHROPIC_BASE_URL") as error:
        endpoint_from({"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url})

    assert "hunter2" not in str(error.value)


def test_an_endpoint_tells_neither_its_key_nor_what_its_url_holds() -> None:
    endpoint = Endpoint("anthropic", "https://ada:hunter2@gate.example/v1?token=abc", "the-key")

    told = f"{endpoint} {endpoint!r}"

    assert "gate.example" in told
    assert not [secret for secret in ("hunter2", "abc", "the-key") if secret in told]


@pytest.mark.parametrize(("host", "here"), [("127.9.9.9", True), ("0.0.0.0", False), ("localhost.evil.example", False)])
def test_only_this_machine_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_how_long_a_provider_wants_to_rest(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_rest(headers) == seconds
