"""Your own data tests: functions that `<suite>.data.yaml` names under `rules`.

    def rule(cases: Sequence[Case]) -> Iterable[tuple[str, str]]: ...

The function gets all cases, and yields (id of a case, what is wrong with it). It must be pure.
"""

from collections.abc import Callable, Iterable, Iterator

from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase, finding
from llmeval.models.loading import load_function
from llmeval.suite.loader import Suite

PREFIX = "own:"
OwnRule = Callable[[list[Case]], object]


def own_id(name: str) -> str:
    """The id of the findings of `module:function`."""
    return PREFIX + name.partition(":")[2]


class OwnDataTest:
    """One function as a data test.

    Raises:
        SuiteError: the function can't be imported, or the suite is not trusted.
    """

    def __init__(self, suite: Suite, name: str) -> None:
        suite.refuse_foreign_code(name)
        self._name, self._rule = name, own_id(name)
        self._function: OwnRule = load_function(name, suite.base)
        self._cases: list[Case] = []
        self._places: dict[str, CasePlace] = {}

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        self._cases.append(case.case)
        self._places[case.place.id] = case.place

    def findings(self) -> Iterator[DataFinding]:
        """A warning for each pair that the function yields."""
        results = self._function(self._cases)
        if not isinstance(results, Iterable) or isinstance(results, str):
            raise self._wrong(results)
        for result in results:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise self._wrong(result)
            case_id, message = map(str, result)
            place = self._places.get(case_id)
            if place is None:
                raise SuiteError(f"{self._name}: there is no case {case_id!r}")
            fix = f"See the function {self._name}"
            yield finding(self._rule, "warn", [place], f"{case_id}: {message}", fix)

    def _wrong(self, value: object) -> SuiteError:
        return SuiteError(
            f"{self._name}: a data test yields pairs (id of a case, message), not"
            f" {type(value).__name__}"
        )
