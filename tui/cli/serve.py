"""`apm serve`: the app in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

import click

from tui.cli import options, output


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen: this machine only."
)
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@options.json_option
@options.pass_place
def serve(place: options.Place, host: str, port: int, as_json: bool) -> None:
    """Open the app in a browser: serve it until interrupted, at the address that is printed.

    The address holds a key, made anew each time; who has it can answer in your name. Each tab is an app of its own:
    the first drives the workspace, the others follow. Closing a tab stops what its app runs.
    """
    from core.contract import UsageError
    from core.places import why_none
    from tui.serving.access import is_loopback

    if not host.strip():
        raise click.UsageError("--host is empty; name an address, or leave it out for this machine only.")
    folder = place.folder()
    if why := why_none(folder):
        raise UsageError(why)
    # What is wrong with the database is said here, and not in a browser that somebody opens later.
    place.open().close()
    if not is_loopback(host):
        output.note(
            f"apm: {host} can be reached from other machines, without encryption: whoever reaches it and learns the "
            f"key can answer in the name of {options.person()}."
        )

    from tui.serving.site import serve as serve_until_stopped

    with contextlib.ExitStack() as stack:

        def opened(address: str) -> None:
            if as_json:
                output.emit_json({"url": address, "pid": os.getpid()})
            else:
                output.say(address)
                output.note("Serving until interrupted (ctrl+c).")
            sys.stdout.flush()
            # textual-serve prints what an app leaves on its standard error; it must not follow the document.
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))

        asyncio.run(serve_until_stopped(folder, host, port, opened))
