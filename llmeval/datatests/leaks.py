"""D004 and D005: cases that the prompt, a rubric or a corpus already contains."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmeval.core.errors import UsageError
from llmeval.datatests.findings import CasePlace, DataFinding, SuiteCase, finding, named
from llmeval.datatests.similarity import words_of
from llmeval.datatests.suite_cases import normalise
from llmeval.suite.loader import Suite

RUN = 13
"""Words in a row that a text shares with a case."""
SHORT_RUN = 8
"""The same for a case with fewer than 13 words."""
_SHORTEST = 4
"""A case with fewer words is not compared: such texts are equal by chance."""
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_READ = (".txt", ".md", ".jsonl", ".json", ".csv", ".tsv")
_BLOCK = 1 << 20


class CaseRuns:
    """Finds the cases that share a run of words with a text."""

    def __init__(self) -> None:
        self._places: list[CasePlace] = []
        self._references: list[tuple[str, ...]] = []
        self._by_run: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        """By length of the run and its hash, the rows of the cases."""

    def add(self, case: SuiteCase) -> None:
        """Index the question of a case."""
        words = words_of(case.question)
        if len(words) < _SHORTEST:
            return
        row = len(self._places)
        self._places.append(case.place)
        self._references.append(case.references)
        n = RUN if len(words) >= RUN else min(SHORT_RUN, len(words))
        for start in range(len(words) - n + 1):
            rows = self._by_run[n][hash(tuple(words[start : start + n]))]
            if not rows or rows[-1] != row:
                rows.append(row)

    def within(self, text: str) -> Iterator[tuple[int, str]]:
        """(row, shared words) of each case that shares a run with a text.

        A case with fewer than 8 words also needs its reference in the text.
        """
        plain = normalise(text)
        words = words_of(plain)
        for n, runs in self._by_run.items():
            for start in range(len(words) - n + 1):
                run = tuple(words[start : start + n])
                for row in runs.get(hash(run), ()):
                    if n >= SHORT_RUN or self._answered(row, plain):
                        yield row, " ".join(run)

    def _answered(self, row: int, text: str) -> bool:
        return any(reference in text for reference in self._references[row])

    def place(self, row: int) -> CasePlace:
        """The place of a case."""
        return self._places[row]


class PromptLeaks:
    """D004: a case that is an example in the prompt, in a rubric or in a judge's prompt."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._runs = CaseRuns()

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        self._runs.add(case)

    def findings(self) -> Iterator[DataFinding]:
        """An error for each case that a text of the suite contains."""
        seen = set[int]()
        for name, text in _own_texts(self._suite):
            for row, words in self._runs.within(_EXPRESSION.sub(" \n ", text)):
                if row in seen:
                    continue
                seen.add(row)
                place = self._runs.place(row)
                yield finding(
                    "D004",
                    "error",
                    [place],
                    f"{place.id} is also in {name}, so the model is shown a case of the test",
                    f"Remove it from {name}, or remove the case",
                    evidence=words,
                )


def _own_texts(suite: Suite) -> Iterator[tuple[str, str]]:
    """(name, text) of everything that the suite writes for models."""
    for _, template in suite.prompt():
        yield "the prompt", template.source
    for name in suite.spec.judges:
        judge = suite.judge(name)
        for criterion in judge.criteria:
            statement = criterion if isinstance(criterion, str) else criterion.get("statement", "")
            yield f"the criteria of the judge {name}", str(statement)
        if suite.has_text(judge.prompt) and Path(judge.prompt).suffix:
            text = suite.read_text(judge.prompt, ("judges", name, "prompt"))
            yield f"the prompt of the judge {name}", text


class CorpusLeaks:
    """D005: a case whose question stands in a corpus.

    Args:
        corpus: a file or a folder of text files; None: nothing is tested.
    """

    def __init__(self, corpus: Path | None) -> None:
        self._corpus = corpus
        self._runs = CaseRuns()
        if corpus is not None and not corpus.exists():
            raise UsageError(f"--against {corpus}: there is no such file or folder")

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        if self._corpus is not None:
            self._runs.add(case)

    def findings(self) -> Iterator[DataFinding]:
        """One error for each file of the corpus that contains cases. Files are read in blocks."""
        if self._corpus is None:
            return
        files = _files(self._corpus)
        if not files:
            raise UsageError(f"--against {self._corpus}: no file ends in {', '.join(_READ)}")
        for file in files:
            rows: dict[int, str] = {}
            for block in _blocks(file):
                for row, words in self._runs.within(block):
                    rows.setdefault(row, words)
            if rows:
                places = [self._runs.place(row) for row in rows]
                yield finding(
                    "D005",
                    "error",
                    places,
                    f"{len(places):,} cases are in the corpus {file}: {named(places)}",
                    "Remove them, or give them the tag `contaminated: yes` and read that slice"
                    " separately",
                    evidence=next(iter(rows.values())),
                )


def _files(corpus: Path) -> list[Path]:
    if corpus.is_file():
        return [corpus]
    return sorted(path for path in corpus.rglob("*") if path.suffix in _READ and path.is_file())


def _blocks(file: Path) -> Iterable[str]:
    """The text in blocks that overlap by 1,000 characters, so that no run is cut."""
    try:
        with file.open(encoding="utf-8") as stream:
            rest = ""
            while block := stream.read(_BLOCK):
                yield rest + block
                rest = block[-1000:]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--against {file}: can't be read as UTF-8: {error}") from None
