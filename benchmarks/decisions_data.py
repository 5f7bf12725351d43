"""Gates on real answers of real systems, beside the truth and beside what usual gates would have
said.

    python benchmarks/decisions_data.py [--data ../shared/data] [--runs 300]

Reads `evouna_nq`, `gsm8k` and `ifeval` below `--data`, and says "not measured" where they are
absent. "truth" is the difference over all rows there are, by people (EVOUNA) or by the official
checkers; "wrong" is how often a gate on 250 of the rows, drawn at random with replacement, says
FAIL of a candidate that is not worse, or PASS of one that is worse by the margin or more. Margin 5
points, error rates 5 %.
"""

import argparse
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmeval.checks.facts import facts
from llmeval.core.records import Answer, Case
from llmeval.core.results import Decision
from llmeval.planning.simulation import play
from llmeval.stats.estimation.agreement import youden_lower
from llmeval.stats.estimation.label_counts import LabelCounts
from llmeval.stats.sequential.design import regression

Floats = NDArray[np.float64]
Results = dict[str, dict[str, bool]]
MARGIN, RATE, SPENT, CASES = 0.05, 0.05, 0.01, 250
SENSITIVITY, SPECIFICITY = 0.95, 0.9


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def evouna(data: Path) -> dict[str, Results]:
    """By scorer: people, the facts check, a simulated judge."""
    rng = np.random.default_rng(31)
    found: dict[str, Results] = {
        name: defaultdict(dict) for name in ("people", "facts check", "simulated judge")
    }
    for item in lines(data / "evouna_nq" / "answers.jsonl"):
        answers = [a for a in item["answers"] if a["human_correct"] is not None]
        if item["improper_question"] or len(answers) < 5:
            continue
        case = Case(
            id=item["id"],
            fields={"question": item["question"]},
            references=tuple(item["references"]),
        )
        for a in answers:
            right = bool(a["human_correct"])
            found["people"][a["model"]][item["id"]] = right
            result = facts(case, Answer(case_id=item["id"], output=a["answer"] or ""))
            found["facts check"][a["model"]][item["id"]] = bool(result.passed)
            luck = rng.random()
            found["simulated judge"][a["model"]][item["id"]] = (
                luck < SENSITIVITY if right else luck > SPECIFICITY
            )
    return found


def gsm8k(data: Path) -> dict[str, Results]:
    """Final numbers, mechanically right or wrong."""
    found: Results = defaultdict(dict)
    for item in lines(data / "gsm8k" / "test_with_solutions.jsonl"):
        for a in item["solutions"]:
            found[a["model"]][item["id"]] = bool(a["is_correct"])
    return {"official": found}


def ifeval(data: Path) -> dict[str, Results]:
    """The official checkers' verdicts, all of a prompt's instructions followed."""
    found: Results = defaultdict(dict)
    for item in lines(data / "ifeval" / "responses.jsonl"):
        found[item["model"].rpartition("__")[2]][item["prompt_id"]] = bool(
            item["prompt_pass_strict"]
        )
    return {"official": found}


def table(results: Results, order: list[str]) -> NDArray[np.float64]:
    """Systems x cases that all of them answered."""
    shared = sorted(set.intersection(*(set(results[name]) for name in order)))
    return np.array([[results[name][case] for case in shared] for name in order], dtype=float)


def bound(truth: Floats, seen: Floats, rng: np.random.Generator) -> float:
    """The lower bound of the scorer's J from 400 answers drawn at random."""
    rows = rng.integers(0, truth.size, 400)
    t, s = truth.ravel()[rows] > 0, seen.ravel()[rows] > 0
    labels = LabelCounts(*(int(x.sum()) for x in (s & t, s & ~t, ~s & t, ~s & ~t)))
    return youden_lower(labels, SPENT)


def says(base: Floats, candidate: Floats, lower: float) -> tuple[str, str, str]:
    """The decision, and those of "drop > 2 points" and of an unpaired z test."""
    d = candidate - base
    plan = regression(
        units=len(d),
        margin=MARGIN,
        alpha=RATE,
        beta=RATE,
        j_lower=lower,
        j_alpha=SPENT if lower < 1 else 0.0,
        discordance=0.2,
    )
    decision = play(plan, d).decision
    pooled = (base.mean() + candidate.mean()) / 2
    z = d.mean() / math.sqrt(max(2 * pooled * (1 - pooled) / len(d), 1e-12))
    return (
        str(decision),
        "FAIL" if d.mean() < -0.02 - 1e-9 else "PASS",
        "FAIL" if z < -1.645 else "PASS",
    )


def wrong(said: str, truth: float) -> bool:
    """Whether a verdict is an error: FAIL though not worse, PASS though worse by the margin."""
    return (said == Decision.FAIL and truth >= 0) or (said == Decision.PASS and truth <= -MARGIN)


def compare(name: str, scorers: dict[str, Results], runs: int) -> None:
    """Every ordered pair of systems, by every scorer."""
    truth_name = next(iter(scorers))
    order = sorted(scorers[truth_name])
    truths = table(scorers[truth_name], order)
    print(f"\n## {name}: {truths.shape[1]:,} cases, {len(order)} systems\n")
    print(
        "| scorer | baseline → candidate | truth | decision | drop > 2 | unpaired | wrong of resampled: llmeval | drop > 2 | unpaired | INCONCLUSIVE |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for scorer, results in scorers.items():
        seen, total, pairs = table(results, order), np.zeros(4), 0
        rng = np.random.default_rng(32)
        lower = 1.0 if scorer == truth_name else bound(truths, seen, rng)
        for a, b in itertools.permutations(range(len(order)), 2):
            truth = float((truths[b] - truths[a]).mean())
            shuffled = rng.permutation(truths.shape[1])
            said = says(seen[a, shuffled], seen[b, shuffled], lower)
            counts = np.zeros(4)
            for _ in range(runs):
                rows = rng.integers(0, truths.shape[1], CASES)
                drawn = says(seen[a, rows], seen[b, rows], lower)
                counts += [*(wrong(x, truth) for x in drawn), drawn[0] == Decision.INCONCLUSIVE]
            total, pairs = total + counts / runs, pairs + 1
            marked = [f"**{x}** (wrong)" if wrong(x, truth) else x for x in said]
            cells = " | ".join(f"{100 * x / runs:.1f}" for x in counts)
            print(
                f"| {scorer} | {order[a]} → {order[b]} | {100 * truth:+.1f} | {' | '.join(marked)} | {cells} |",
                flush=True,
            )
        cells = " | ".join(f"{100 * x / pairs:.1f}" for x in total)
        print(
            f"| {scorer} | mean of {pairs} pairs (J at least {lower:.2f}) | | | | | {cells} |",
            flush=True,
        )


def main() -> None:
    """Compare on all the data there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=int, default=300, help="resamples a pair")
    options = parser.parse_args()
    for name, read in (("evouna_nq", evouna), ("gsm8k", gsm8k), ("ifeval", ifeval)):
        if not (options.data / name).exists():
            print(f"\n## {name}: not measured (no {options.data / name})")
            continue
        compare(name, read(options.data), options.runs)


if __name__ == "__main__":
    main()
