"""The checks of a suite and of its cases, bound to their arguments."""

from collections.abc import Callable

from llmeval.checks.bound import BoundCheck
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.core.templates import is_template
from llmeval.models.loading import load_function
from llmeval.runner.rule_cases import WHOLE
from llmeval.suite.loader import Suite


def bound_checks(suite: Suite) -> tuple[BoundCheck, ...]:
    """The suite's own checks.

    Raises:
        SuiteError: one is not valid, or a check or judge has the name `cases`.
    """
    try:
        bound = bind(suite.spec.checks, is_template=is_template, load=_loader(suite))
    except SpecError as error:
        raise suite.error(("checks", *error.path), str(error)) from None
    for index, check in enumerate(bound):
        if check.metric == WHOLE:
            raise suite.error(("checks", index), _taken("check"))
    if WHOLE in suite.spec.judges:
        raise suite.error(("judges", WHOLE), _taken("judge"))
    return bound


def case_checks(suite: Suite, case: Case) -> tuple[BoundCheck, ...]:
    """A case's own checks.

    Raises:
        SuiteError: one is not valid; names the case's file and line.
    """
    try:
        bound = bind(case.checks, is_template=is_template, load=_row_loader(suite))
    except SpecError as error:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)
        raise SuiteError(f"{case.source}: checks{where}: {error}") from None
    if any(check.metric == WHOLE for check in bound):
        raise SuiteError(f"{case.source}: checks: {_taken('check')}")
    return bound


def _taken(what: str) -> str:
    return (
        f"no {what} may be named {WHOLE!r}: that is the metric of whole cases in `gate.floors`;"
        " give it another `metric`"
    )


def _loader(suite: Suite) -> Callable[[str], Callable[..., object]]:
    """Imports the functions that the suite names."""

    def load(name: str) -> Callable[..., object]:
        suite.refuse_foreign_code(name)
        return load_function(name, suite.base)

    return load


def _row_loader(suite: Suite) -> Callable[[str], Callable[..., object]]:
    """Imports the functions that cases name. Only cases in the suite file itself may name one: a
    data file is data, and reading it must not run code.
    """
    if isinstance(suite.spec.cases.source, list):
        return _loader(suite)

    def refuse(name: str) -> Callable[..., object]:
        raise SuiteError(
            f"{name!r} is not a built-in check. A row of a data file can't name your own function:"
            " write it under `checks:` of the suite file, or write the case in the suite file"
        )

    return refuse
