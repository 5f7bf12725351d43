"""The console of every command."""

import os
import sys

from rich.console import Console


class CommandConsole(Console):
    """A console whose reader may leave (`| head`): the rest goes nowhere, and the exit code stays
    what the command says.

    rich itself would end the process with 1, which must mean nothing but "the gate failed".
    """

    def on_broken_pipe(self) -> None:
        """Stop speaking; the interpreter must not complain while it exits, either."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
