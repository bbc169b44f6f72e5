"""Where a provider is reached and with which key. The key is used to send, and stands nowhere else."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core.contract import UsageError

NO_KEY = "none"
"""What is sent as a key to a server on this machine that wants none."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One provider's API. Its representation tells neither the key nor the URL, which may hold a password."""

    provider: str
    base_url: str = field(repr=False)
    api_key: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def address(self) -> str:
        """Host and, where one is named, port: what a person has to look at when nothing answers there."""
        parts = urlsplit(self.base_url)
        return f"{self.host}:{parts.port}" if parts.port else self.host

    @property
    def is_loopback(self) -> bool:
        """Whether it is served on this machine."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"{self.provider} at {self.host}"


@dataclass(frozen=True, slots=True)
class Variables:
    """Which variables of the environment name an endpoint; the first key that is set is taken."""

    provider: str
    base_url: str
    keys: tuple[str, ...]
    default_url: str


ANTHROPIC = Variables(
    provider="anthropic",
    base_url="ANTHROPIC_BASE_URL",
    keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    default_url="https://api.anthropic.com",
)
OPENAI = Variables(
    provider="openai-compatible",
    base_url="OPENAI_BASE_URL",
    keys=("OPENAI_API_KEY",),
    default_url="https://api.openai.com/v1",
)


def read_endpoint(variables: Variables, environ: Mapping[str, str]) -> Endpoint | None:
    """The endpoint that the environment names. Without a key there is one on this machine only.

    Raises UsageError for an address that is none; it is not quoted, since it may hold a password.
    """
    base_url = environ.get(variables.base_url, "").strip() or variables.default_url
    if not _is_address(base_url):
        raise UsageError(
            f"{variables.base_url} is not the address of a server, such as http://127.0.0.1:8080; correct or unset it."
        )
    for name in variables.keys:
        key = environ.get(name, "").strip()
        if key:
            return Endpoint(variables.provider, base_url, key)
    endpoint = Endpoint(variables.provider, base_url, NO_KEY)
    return endpoint if endpoint.is_loopback else None


def _is_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        return found.scheme in ("http", "https") and bool(found.hostname) and (found.port is None or found.port > 0)
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
