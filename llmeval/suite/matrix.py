"""A suite with another prompt, and the check of its `matrix`."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.suite.loader import Suite
    from llmeval.suite.yaml_file import Path


def with_prompt(suite: "Suite", prompt: str, path: "Path" = ()) -> "Suite":
    """The suite with another prompt.

    Args:
        suite: a suite with `prompt`.
        prompt: a template, or the path of one.
        path: where the suite states it; empty if the command line does.

    Raises:
        SuiteError: the suite sends `messages` or `turns`, so it has no prompt to replace.
    """
    for key in ("messages", "turns", "user"):
        if getattr(suite.spec, key) is not None:
            raise suite.error(
                path or (key,),
                f"the suite sends `{key}`, so another prompt has no effect: use `prompt:` instead",
            )
    return replace(suite, spec=suite.spec.model_copy(update={"prompt": prompt}))


def without_matrix(suite: "Suite") -> "Suite":
    """The suite of a single run."""
    if suite.spec.matrix is None:
        return suite
    return replace(suite, spec=suite.spec.model_copy(update={"matrix": None}))


def check_matrix(suite: "Suite") -> None:
    """Refuse a matrix with a model that does not exist, a prompt that can't be read, or one of them
    twice.

    Raises:
        SuiteError: names file, line and key.
    """
    matrix = suite.spec.matrix
    if matrix is None:
        return
    for key in ("candidate", "prompt"):
        values = getattr(matrix, key)
        for number, value in enumerate(values):
            if value in values[:number]:
                raise suite.error(
                    ("matrix", key, number),
                    "this is listed twice: each cell differs from the others",
                )
    for number, reference in enumerate(matrix.candidate):
        if isinstance(reference, str):
            suite.model_exists(reference, ("matrix", "candidate", number))
    for number, prompt in enumerate(matrix.prompt):
        path = ("matrix", "prompt", number)
        with_prompt(suite, prompt, path).template(prompt, path)
