"""The time of every check on a million characters of texts made to hurt; the slowest are printed.

    python benchmarks/checks_megabyte.py [--show 25] [--screen 10000] [--only NAME,NAME] [--kept 2]

Every check reads every text of tests/checks/hostile_texts.py at `--screen` characters; the `--kept` slowest of each are
then read at 1,000,000, or at the longest length that the check takes. Processor time of one run, one thread.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from llmeval.checks.bound import BoundCheck
from llmeval.checks.examples import example
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.hostile_texts import ENDS, PIECES, hostile

MEGABYTE = 1_000_000
LIMIT = 2.0
WARM = 200
_AT_MOST = re.compile(r"at most ([0-9,]+) are read")


class Timed(NamedTuple):
    seconds: float
    check: str
    piece: str
    end: str
    size: int
    note: str = ""


def timed(bound: BoundCheck, piece: str, end: str, size: int) -> Timed:
    case = Case(
        "a",
        {"question": "Which?"},
        references=("Paris",),
        context="The cat sat. Paris is in France.",
    )
    answer = Answer(case_id="a", output=hostile(piece, end, size), finish_reason="stop")
    started, note = time.process_time(), ""
    try:
        bound.evaluate(case, answer, lambda value: value)
    except CheckError as error:
        note = str(error)
    return Timed(time.process_time() - started, bound.metric, piece, end, size, note)


def longest(bound: BoundCheck, one: Timed) -> Timed:
    """At a million characters, or as many as the check takes."""
    full = timed(bound, one.piece, one.end, MEGABYTE)
    most = _AT_MOST.search(full.note)
    return timed(bound, one.piece, one.end, int(most[1].replace(",", ""))) if most else full


def different() -> list[str]:
    """One name of each function: many ids of other languages share theirs."""
    by_function = {kind.function: name for name, kind in reversed(all_checks().items())}
    return sorted(by_function.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--show", type=int, default=25)
    parser.add_argument("--screen", type=int, default=10_000)
    parser.add_argument("--kept", type=int, default=2)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else different()
    slowest: list[Timed] = []
    for name in names:
        found = example(name)
        assert found is not None
        (bound,) = bind([found.check])
        pairs = [(piece, ENDS[index % len(ENDS)]) for index, piece in enumerate(PIECES)]
        for piece, end in pairs:  # imports, tables and patterns are loaded before any time counts
            timed(bound, piece, end, WARM)
        screened = sorted(
            (timed(bound, piece, end, options.screen) for piece, end in pairs), reverse=True
        )
        kept = [longest(bound, one) for one in screened[: options.kept]]
        slowest += kept
        late = ", over the limit" if max(kept).seconds > LIMIT else ""
        print(f"{name}: {max(kept).seconds:.2f} s{late}", file=sys.stderr, flush=True)
    slowest.sort(reverse=True)
    over = len({one.check for one in slowest if one.seconds > LIMIT})
    print(f"{len(names)} checks, {len(PIECES)} texts; over {LIMIT:g} s: {over}\n")
    print("| check | text | characters | s | |\n|---|---|---|---|---|")
    for one in slowest[: options.show]:
        text = f"{one.piece!r}...{one.end}".replace("|", "\\|")
        print(f"| `{one.check}` | `{text}` | {one.size:,} | {one.seconds:.2f} | {one.note[:60]} |")


if __name__ == "__main__":
    main()
