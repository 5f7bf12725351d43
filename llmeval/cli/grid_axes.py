"""Candidates and prompts as the command line lists them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.core.errors import UsageError

if TYPE_CHECKING:
    from llmeval.suite.loader import Suite

_TEMPLATES = (".j2", ".jinja", ".jinja2", ".txt", ".md")


@dataclass(frozen=True)
class GridAxes:
    """The candidates and prompts of the command line; empty where it names none."""

    candidates: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()

    def make_grid(self, suite: "Suite") -> bool:
        """Whether a suite runs in several cells. Options replace the axes of its matrix."""
        if len(self.candidates) > 1 or len(self.prompts) > 1:
            return True
        matrix = suite.spec.matrix
        return matrix is not None and bool(
            (matrix.candidate and not self.candidates) or (matrix.prompt and not self.prompts)
        )


def listed_candidates(values: list[str] | None) -> tuple[str, ...]:
    """The candidates of all `--candidate` options. A specification in braces keeps its commas.

    Raises:
        UsageError: one is listed twice, or is empty.
    """
    names: list[str] = []
    for value in values or []:
        names += [value] if value.lstrip().startswith("{") else _split(value, "--candidate")
    return _distinct(names, "--candidate")


def listed_prompts(values: list[str] | None) -> tuple[str, ...]:
    """The prompts of all `--prompt` options, as absolute paths.

    Raises:
        UsageError: one is not a file, or not a template, or is listed twice.
    """
    paths: list[str] = []
    for value in values or []:
        for name in _split(value, "--prompt"):
            path = Path(name)
            if not path.is_file():
                raise UsageError(f"--prompt {name}: there is no such file")
            if not name.endswith(_TEMPLATES):
                raise UsageError(
                    f"--prompt {name}: a template ends in {', '.join(_TEMPLATES)}; rename the file"
                )
            paths.append(str(path.resolve()))
    return _distinct(paths, "--prompt")


def _split(value: str, option: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    if not all(names):
        raise UsageError(f"{option} {value}: a name is empty; write them as a,b")
    return names


def _distinct(names: list[str], option: str) -> tuple[str, ...]:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UsageError(f"{option}: {name} is listed twice")
    return tuple(names)
