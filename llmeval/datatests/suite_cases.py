"""Reads each case of a suite once, with the texts that the data tests compare."""

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from llmeval.core.errors import NothingEvaluated
from llmeval.core.records import Case, canonical_json
from llmeval.core.templates import case_values
from llmeval.data.cases import CaseSet
from llmeval.datatests.findings import CasePlace, SuiteCase
from llmeval.runner.script import script_of
from llmeval.suite.loader import Suite

LONG = 600
"""Characters from which a value counts as a long text: a source, not a question."""
_NOT_SENT = frozenset(["id", "tags", "reference", "references"])


def normalise(text: str) -> str:
    """The text after NFKC and case folding, with single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


@dataclass(frozen=True)
class CaseReader:
    """Makes a `SuiteCase` of each case. `names`: the fields that the prompt uses; empty: all."""

    names: tuple[str, ...]

    def read(self, case: Case) -> SuiteCase:
        """The case with the texts that the tests compare."""
        short: list[str] = []
        long: list[str] = []
        for name, text in self._values(case):
            (long if name == "context" or len(text) > LONG else short).append(normalise(text))
        if not short:
            short, long = long, []
        question = " ".join(short)
        long_text = _hash("\0".join(long))
        return SuiteCase(
            case=case,
            place=CasePlace(case.id, case.source, case.digest.removeprefix("sha256:")[:16]),
            question=question,
            long_text=long_text,
            key=_hash("\0".join(short)) + long_text,
            references=tuple(map(normalise, case.references)),
        )

    def _values(self, case: Case) -> list[tuple[str, str]]:
        if case.messages:
            return [(message.role, message.content) for message in case.messages]
        values = case_values(case)
        names = [name for name in self.names if name in values] or list(case.fields)
        return [(name, _text(values[name])) for name in names]


def _text(value: object) -> str:
    return value if isinstance(value, str) else canonical_json(value).decode()


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def reader_of(suite: Suite) -> CaseReader:
    """The reader for a suite: the fields that its prompt and its turns use."""
    names = set[str]().union(*(template.variables for _, template in suite.prompt()))
    script = script_of(suite)
    if script is not None:
        names |= script.variables
    return CaseReader(tuple(sorted(names - _NOT_SENT)))


def whole_suite(suite: Suite) -> Suite:
    """The suite without its sample: data tests read every case of the source."""
    cases = suite.spec.cases.model_copy(update={"sample": None})
    return replace(suite, spec=suite.spec.model_copy(update={"cases": cases}))


def read_cases(suite: Suite, add: Callable[[SuiteCase], None]) -> CaseSet:
    """Read every case of the suite's source once.

    Args:
        add: called with each case.

    Raises:
        SuiteError: a case is not valid, or the source can't be read; names file and line.
        NothingEvaluated: the source has no case.
    """
    reader = reader_of(suite)
    cases = CaseSet(whole_suite(suite), inspect=lambda case: add(reader.read(case)))
    if not len(cases):
        raise NothingEvaluated(f"{suite.path}: the source has no case, so nothing was tested")
    return cases
