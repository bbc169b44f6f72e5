"""A group of commands that imports a command's module when that command runs, and not for the help page."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """`commands_at` maps a name to where its command is (`module:attribute`) and to its line on the help page."""

    commands_at: Mapping[str, tuple[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_at:
            return None
        module, _, attribute = self.commands_at[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.commands_at:
            near = difflib.get_close_matches(args[0], self.commands_at, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(self.commands_at)}."
            raise click.UsageError(f"There is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.commands_at.items()])
