"""Who may reach the app in a browser: whoever holds the key of its address, from a page of its own.

Loopback keeps nobody out by itself. Every account of the machine can connect to it, any page in the same browser can
open a WebSocket to it, and a name that its owner points at 127.0.0.1 makes such a page look like ours (DNS
rebinding). The key answers the first, `Origin` the second, `Host` the third.
"""

from __future__ import annotations

import hmac
import secrets
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address

ALWAYS = frozenset({"localhost"})


def new_key() -> str:
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Access:
    """`names` are the host names, in lower case, by which the server may be called; addresses always may."""

    names: frozenset[str] = ALWAYS
    key: str = field(default_factory=new_key)

    def refusal(self, host: str, origin: str | None, given: str | None, *, own_page_only: bool) -> str | None:
        """Why a request is refused, as a sentence; None when it may pass.

        `host` and `origin` are the headers, `given` is the key that came with it. With `own_page_only` a request that
        names no origin is refused as well: browsers always name it for a WebSocket.
        """
        if not self._knows(host):
            return f"This server is not called {host[:100]!r}; open the address that `apm serve` printed."
        if (origin is not None or own_page_only) and (origin or "").lower() != f"http://{host}".lower():
            return "A page of another site asked for this, and only apm's own page may."
        if given is None or not hmac.compare_digest(given.encode(), self.key.encode()):
            return "The key is missing or old; open the address that `apm serve` printed, with the key in it."
        return None

    def _knows(self, host: str) -> bool:
        name = name_of(host)
        return name in self.names or is_address(name)


def access_on(host: str) -> Access:
    """Access to a server that listens on this host: by that name, by this machine's own, or by an address."""
    return Access(ALWAYS | {host.lower(), socket.gethostname().lower()})


def name_of(host: str) -> str:
    """The name or address in a `Host` header, in lower case, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on this host."""
    return ip_address(host).is_loopback if is_address(host) else host.lower() in ALWAYS


def address(host: str, port: int, key: str) -> str:
    """What a person opens. A host that stands for every address of the machine is shown as the machine's name."""
    shown = socket.gethostname() if is_address(host) and ip_address(host).is_unspecified else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/?key={key}"
