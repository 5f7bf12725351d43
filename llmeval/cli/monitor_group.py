"""A group of commands with a default: `llmeval monitor SUITE --once` next to `llmeval monitor
simulate SUITE`.
"""

from typing import Any

from typer.core import TyperGroup


class DefaultGroup(TyperGroup):
    """A group whose command `watch` takes arguments that begin with the name of no command."""

    default = "watch"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front, unless a command or the help of the group is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [self.default, *args]
        return super().parse_args(ctx, args)
