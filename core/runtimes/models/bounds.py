"""How much a server may answer: what is read of it stays within what any model writes.

It is given to an HTTP client as a hook, so that it holds for whole answers, streams and errors alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

PLAIN = {"accept-encoding": "identity"}
"""Asked of every server: a few kilobytes that are packed can be gigabytes."""

MOST_BYTES = 64 * 2**20
MOST_LINE = 4 * 2**20
"""Bytes without an end of line. Those who read a stream put it together anew with every piece until one comes."""


async def bounded(response: httpx2.Response) -> None:
    """Let no more of the answer be read than MOST_BYTES. Raises httpx2.DecodingError for one that comes packed."""
    import httpx2

    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise httpx2.DecodingError(f"it sends its answer packed ({packed[:20]!r}), which it was asked not to")

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: httpx2.AsyncByteStream) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            total = line = 0
            async for piece in self._stream:
                total += len(piece)
                end = piece.rfind(b"\n")
                line = line + len(piece) if end < 0 else len(piece) - end - 1
                if total > MOST_BYTES or line > MOST_LINE:
                    raise httpx2.ReadError("it does not end")
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Bounded(response.stream)
