"""Judges against people's verdicts, and the certificate's own machinery against judges whose errors
were planted.

    python benchmarks/judge.py planted [--replicates N] [--json]
    python benchmarks/judge.py data [--data ../shared/data] [--n N] [--claims N] [--suite
    suites/qa.yaml] [--json]

`planted` needs nothing: do intervals cover, do probes find what was planted and nothing else, do
anchors see drift? `data` reads `evouna_nq`, `evouna_tq`, `semeval2013_sra`, `truthfulqa`, `begin`
and `pandalm` below `--data`, and says "not measured" where one is absent. On N answers a set, half
of them right, drawn with a fixed seed, it lets decide: the check alone; the suite's judge; the same
weights as a decision model (labels read out); and judge or decision model only where the check is
not sure. A judge of BEGIN lists claims, which takes long: it is asked about the first `--claims`.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from llmeval.checks.base import Result  # noqa: E402
from llmeval.checks.builtin.sources.grounding import grounding  # noqa: E402
from llmeval.checks.facts import facts  # noqa: E402
from llmeval.core.records import Answer, Case, Message, Score, Status  # noqa: E402
from llmeval.judges.assurance.attacks import attacks_on  # noqa: E402
from llmeval.judges.assurance.certify import judge_all  # noqa: E402
from llmeval.judges.assurance.labelled_answers import LabelledAnswer  # noqa: E402
from llmeval.judges.assurance.measures import JudgedAnswer, counts_of, effective_counts, measured  # noqa: E402
from llmeval.judges.assurance.probes import probe  # noqa: E402
from llmeval.judges.injection_filter import without_orders  # noqa: E402
from llmeval.judges.judge import Judge  # noqa: E402
from llmeval.judges.protocol import load_protocol  # noqa: E402
from llmeval.judges.verdict_source import ProbabilityVerdicts  # noqa: E402
from llmeval.models.client.caller import Caller  # noqa: E402
from llmeval.models.client.limiter import Limiter  # noqa: E402
from llmeval.models.readout import LabelReadout  # noqa: E402
from llmeval.runner.options import Options  # noqa: E402
from llmeval.runner.plan import plan  # noqa: E402
from llmeval.stats.estimation.agreement import Agreement, agreement  # noqa: E402
from llmeval.stats.estimation.correction import decision_bounds  # noqa: E402
from llmeval.stats.estimation.label_counts import Provenance, count_labels  # noqa: E402
from llmeval.stats.sequential.drift import judge_probe_rule  # noqa: E402
from llmeval.suite.loader import load_suite  # noqa: E402
from tests.support.planted import SIGNS, Planted, items, planted_judge  # noqa: E402

CONFIDENT = 0.9
JUDGES = ((0.85, 0.9), (0.95, 0.92), (0.7, 0.6), (0.99, 0.97))
DRIFTS = (0.0, 0.05, 0.10, 0.15)


# ---- planted


def coverage(replicates: int, n: int = 150) -> list[dict[str, Any]]:
    """How often the intervals of `n` labels hold the planted sensitivity, specificity and J."""
    rows = []
    for sensitivity, specificity in JUDGES:
        youden = sensitivity + specificity - 1
        inside = {"sensitivity": 0, "specificity": 0, "youden": 0, "lower": 0}
        for seed in range(replicates):
            model = Planted(sensitivity, specificity, seed=seed)
            found = measured(asyncio.run(judge_all(planted_judge(model), items(n))))
            truth = {"sensitivity": sensitivity, "specificity": specificity, "youden": youden}
            for name, value in truth.items():
                measure = getattr(found, name)
                inside[name] += measure.low <= value <= measure.high
            inside["lower"] += found.youden_lower <= youden
        shares = {name: count / replicates for name, count in inside.items()}
        rows.append(
            {"planted": f"{sensitivity}/{specificity}", "n": n, "replicates": replicates, **shares}
        )
    return rows


def _verdicts(
    source: random.Random, rate: float, sensitivity: float, specificity: float, n: int
) -> dict[bool, list[bool]]:
    """By the judge's verdict, what people say of each of n answers."""
    sides: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(n):
        right = source.random() < rate
        sides[source.random() < (sensitivity if right else 1 - specificity)].append(right)
    return sides


def _drawn(
    source: random.Random, rate: float, sensitivity: float, specificity: float, n: int, answers: int
) -> list[JudgedAnswer]:
    sides, case = (
        _verdicts(source, rate, sensitivity, specificity, answers),
        Case("c", {"question": "?"}),
    )
    fails, judged = min(n // 2, len(sides[False])), list[JudgedAnswer]()
    for passed, size in ((False, fails), (True, n - fails)):
        score = Score(
            case_id="c", metric="m", status=Status.PASS if passed else Status.FAIL, passed=passed
        )
        chance = size / len(sides[passed])
        for right in source.sample(sides[passed], size):
            item = LabelledAnswer(
                case,
                (),
                Answer(case_id="c"),
                {"ada": right},
                sampling="stratified",
                probability=chance,
            )
            judged.append(JudgedAnswer(item, score))
    return judged


def drawn_by_verdict(replicates: int, n: int = 200, answers: int = 1000) -> list[dict[str, Any]]:
    """Labels as `labels sample` draws them, half from the judge's fails: do intervals hold the
    truth, and how often do J's lower bound, and the lower bound of people's rate in a later run of
    as many answers, pass it (at most 5 % each)?"""
    rows = []
    for rate in (0.7, 0.8, 0.9, 0.95):
        for sensitivity, specificity in ((0.95, 0.92), (0.9, 0.9)):
            seen = {
                "sensitivity": 0,
                "specificity": 0,
                "J too high": 0,
                "rate too high": 0,
                "rate too high, unweighted": 0,
            }
            for seed in range(replicates):
                source = random.Random(seed)
                judged = _drawn(source, rate, sensitivity, specificity, n, answers)
                found = measured(judged)
                for name, value in {"sensitivity": sensitivity, "specificity": specificity}.items():
                    seen[name] += getattr(found, name).low <= value <= getattr(found, name).high
                seen["J too high"] += found.youden_lower > sensitivity + specificity - 1
                passes = len(_verdicts(source, rate, sensitivity, specificity, answers)[True])
                for name, counts in (
                    ("rate too high", effective_counts(judged)),
                    ("rate too high, unweighted", counts_of(judged)),
                ):
                    seen[name] += (
                        decision_bounds(counts, passes, answers, Provenance.BANK).low > rate
                    )
            shares = {name: count / replicates for name, count in seen.items()}
            rows.append(
                {"people pass": rate, "judge": f"{sensitivity}/{specificity}", "n": n, **shares}
            )
    return rows


def probes(replicates: int, n: int = 150, size: float = 0.3) -> list[dict[str, Any]]:
    """How often each probe finds its own planted bias, and any probe one that was not planted."""
    rows = []
    for planted in (None, *SIGNS):
        found = dict.fromkeys(SIGNS, 0)
        wrong = 0
        for seed in range(replicates):
            biases = {} if planted is None else {planted: size}
            model = Planted(0.85, 0.85, biases=biases, noise=0.02, seed=seed)
            seen = [
                each.name
                for each in asyncio.run(probe(planted_judge(model), items(n)))
                if each.found
            ]
            for name in seen:
                found[name] += 1
            wrong += any(name != planted for name in seen)
        hit = None if planted is None else found[planted] / replicates
        rows.append(
            {
                "planted": planted or "nothing",
                "found": hit,
                "anything else": wrong / replicates,
                "replicates": replicates,
            }
        )
    return rows


def drift(replicates: int, n: int = 50) -> list[dict[str, Any]]:
    """How often `n` anchors raise the alarm when so many verdicts have turned round; 2 % of the
    calls are noise.
    """
    rule = judge_probe_rule(n)
    rows = []
    for share in DRIFTS:
        alarms = 0
        for seed in range(replicates):
            anchors = items(n)
            before = asyncio.run(judge_all(planted_judge(Planted(0.9, 0.9, seed=seed)), anchors))
            after = asyncio.run(
                judge_all(
                    planted_judge(Planted(0.9, 0.9, drift=share, noise=0.02, seed=seed)), anchors
                )
            )
            changed = sum(
                a.score.passed != b.score.passed for a, b in zip(before, after, strict=True)
            )
            alarms += changed >= rule.alarm
        rows.append(
            {
                "turned round": share,
                "alarm at": rule.alarm,
                "alarms": alarms / replicates,
                "replicates": replicates,
            }
        )
    return rows


# ---- data


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _item(
    key: str, question: str, references: Sequence[str], text: str, right: bool, arm: str = ""
) -> LabelledAnswer:
    case = Case(key, {"question": question}, references=tuple(references))
    return LabelledAnswer(
        case,
        (Message("user", question),),
        Answer(case_id=key, output=text),
        {"people": right},
        arm=arm,
    )


def evouna(folder: Path) -> Iterator[LabelledAnswer]:
    """EVOUNA: five systems' answers to open questions."""
    for row in lines(folder / "answers.jsonl"):
        for each in row["answers"]:
            if (
                not row["improper_question"]
                and each["answer"]
                and each["human_correct"] is not None
            ):
                yield _item(f"{row['id']}-{each['model']}", row["question"], row["references"], each["answer"],
                            each["human_correct"], each["model"])  # fmt: skip


def semeval(folder: Path) -> Iterator[LabelledAnswer]:
    """SemEval-2013 task 7: students' answers; correct against contradictory or incorrect."""
    for row in lines(folder / "questions.jsonl"):
        references = [each["text"] for each in row["reference_answers"]]
        for each in row["student_answers"]:
            yield _item(
                each["id"],
                row["question"],
                references,
                each["text"],
                each["human_label"] == "correct",
            )


def truthfulqa(folder: Path) -> Iterator[LabelledAnswer]:
    """TruthfulQA: model answers, truthful or not; the references are the true ones."""
    known = {row["id"]: row["correct_answers"] for row in lines(folder / "questions.jsonl")}
    for row in lines(folder / "judged_answers.jsonl"):
        if (
            row["question_id"] in known
            and row["human_truthful"] is not None
            and not row["is_reference_answer"]
        ):
            yield _item(
                row["id"],
                row["question"],
                known[row["question_id"]],
                row["answer"],
                row["human_truthful"],
            )


def drawn(found: Iterator[LabelledAnswer], n: int) -> list[LabelledAnswer]:
    """n answers, half of them right."""
    source, sides = (
        random.Random(20261123),
        {True: list[LabelledAnswer](), False: list[LabelledAnswer]()},
    )
    for item in found:
        sides[bool(item.verdict)].append(item)
    return [item for side in sides.values() for item in source.sample(side, min(n // 2, len(side)))]


def begin(folder: Path) -> Iterator[LabelledAnswer]:
    """BEGIN: replies in a conversation, fully attributable to the given text or not; generic ones
    left out.
    """
    for name in ("wow", "cmu_dog_dev"):
        for row in lines(folder / f"{name}.jsonl"):
            if row["human_label"] != "Generic":
                case = Case(row["id"], {"question": row["message"]}, context=row["knowledge"])
                asked, right = (
                    (Message("user", row["message"]),),
                    row["human_label"] == "Fully attributable",
                )
                yield LabelledAnswer(
                    case,
                    asked,
                    Answer(case_id=case.id, output=row["response"]),
                    {"people": right},
                    arm=name,
                )


@dataclass(frozen=True)
class Way:
    """How a set is judged: its answers, the check that decides alone, and the protocol that asks
    the same of a model.
    """

    read: Callable[[Path], Iterator[LabelledAnswer]]
    check: Callable[[Case, Answer], Result]
    protocol: str = "reference"


SETS = {
    "evouna_nq": Way(evouna, facts),
    "evouna_tq": Way(evouna, facts),
    "semeval2013_sra": Way(semeval, facts),
    "truthfulqa": Way(truthfulqa, facts),
    "begin": Way(begin, grounding, "grounded"),
}


def against_people(folder: Path, n: int, claims: int, suite: Path) -> list[dict[str, Any]]:
    """Each way of each set against people's verdicts."""

    async def ask() -> list[dict[str, Any]]:
        made = plan(load_suite(suite), Options())
        seat = next(iter(made.judges.values())).seats[0]
        reader = Caller(LabelReadout(seat.caller.model), Limiter(8), None)
        rows = []
        for name, way in SETS.items():
            if not (folder / name).exists():
                rows.append({"set": name, "way": "not measured: the data is not here"})
                continue
            protocol = load_protocol(way.protocol, ROOT)
            tokens = {"max_tokens": 384} if protocol.each else {"max_tokens": 128}
            judge = Judge("judge", seat.caller, protocol, tokens)
            decision = Judge(
                "decision model", reader, protocol, {}, source=ProbabilityVerdicts(protocol)
            )
            chosen = drawn(way.read(folder / name), n)
            rows += await _ways(
                name, chosen, way.check, decision, judge, claims if protocol.each else n
            )
        await made.close()
        return rows

    return asyncio.run(ask())


async def _ways(
    name: str,
    chosen: list[LabelledAnswer],
    check: Callable[[Case, Answer], Result],
    decision: Judge,
    judge: Judge,
    most: int,
) -> list[dict[str, Any]]:
    people = [bool(item.verdict) for item in chosen]
    by_check = [check(item.case, item.answer) for item in chosen]
    alone = [found.passed for found in by_check]
    sure = [found.passed is not None and (found.confidence or 0) >= CONFIDENT for found in by_check]
    rows = [_row(name, "check", alone, people, 0)]
    # the answers are half right, one half after the other
    some = sorted([*range(most // 2), *range(len(chosen) // 2, len(chosen) // 2 + most // 2)])
    for asked, which in (
        (decision, range(len(chosen))),
        (judge, some if most < len(chosen) else range(len(chosen))),
    ):
        scores = [each.score for each in await judge_all(asked, [chosen[i] for i in which])]
        said, truth = [score.passed for score in scores], [people[i] for i in which]
        rows.append(
            {**_row(name, asked.metric, said, truth, len(said)), "AUROC": auroc(scores, truth)}
        )
        cascade = [alone[i] if sure[i] else other for i, other in zip(which, said, strict=True)]
        rows.append(
            _row(
                name, f"check, then {asked.metric}", cascade, truth, sum(not sure[i] for i in which)
            )
        )
    return rows


def auroc(scores: Sequence[Score], people: Sequence[bool]) -> str:
    """P(a right answer's value is above a wrong one's), ties by half: what a better threshold could
    make of a judge.
    """
    right, wrong = (
        [s.value for s, p in zip(scores, people, strict=True) if p is side]
        for side in (True, False)
    )
    known = [(r, w) for r in right for w in wrong if r is not None and w is not None]
    return f"{sum((r > w) + (r == w) / 2 for r, w in known) / len(known):.2f}" if known else ""


def _row(
    name: str, way: str, said: Sequence[bool | None], people: Sequence[bool], asked: int
) -> dict[str, Any]:
    pairs = [(one, other) for one, other in zip(said, people, strict=True) if one is not None]
    shared = {
        "set": name,
        "way": way,
        "n": len(pairs),
        "undecided": len(said) - len(pairs),
        "judge calls": asked,
    }
    if not pairs:
        return shared
    found: Agreement = agreement(
        count_labels([a for a, _ in pairs], [b for _, b in pairs]), provenance=Provenance.BANK
    )
    shown = {
        key: _interval(getattr(found, key))
        for key in ("sensitivity", "specificity", "youden", "kappa", "ac1")
    }
    return {**shared, **shown}


def _interval(measure: Any) -> str:
    return (
        "–"
        if measure.value is None
        else f"{measure.value:.2f} ({measure.low:.2f} to {measure.high:.2f})"
    )


def erased(folder: Path, n: int) -> list[dict[str, Any]]:
    """In how many answers the erase-and-check defence would find words to the judge: attacks, and
    answers of real systems.
    """
    attacks = list(attacks_on(load_protocol("reference", ROOT)).values())
    texts = {
        "attacks alone": attacks,
        "attacks behind a wrong answer": [f"It is Sydney. {attack}" for attack in attacks],
    }
    for name in ("evouna_nq", "evouna_tq", "truthfulqa"):
        if (folder / name).exists():
            texts[name] = [item.answer.text for item in drawn(SETS[name].read(folder / name), n)]
    rows = []
    for name, found in texts.items():
        left = sum(without_orders(text) is not None for text in found)
        rows.append({"answers": name, "n": len(found), "judged again without a part": left})
    return rows


def pairwise(folder: Path) -> list[dict[str, Any]]:
    """PandaLM's two recorded judges against the majority of three people, ties left out; and people
    against people.
    """
    path = folder / "pandalm" / "pairs.jsonl"
    if not path.exists():
        return [{"judge": "pandalm", "n": "not measured: the data is not here"}]
    rows = list(lines(path))
    words = {"1": 1, "2": 2, "Tie": 0, 1: 1, 2: 2, 0: 0}
    sources = {
        "judge_gpt35": [(words.get(row["judge_gpt35"]), row["human_majority"]) for row in rows],
        "judge_pandalm7b": [
            (words.get(row["judge_pandalm7b"]), row["human_majority"]) for row in rows
        ],
        "one person against another": [
            (row["annotators"][0], row["annotators"][1]) for row in rows
        ],
    }
    return [_pairs(name, pairs) for name, pairs in sources.items()]


def _pairs(name: str, pairs: Sequence[tuple[int | None, int | None]]) -> dict[str, Any]:
    decided = [(a, b) for a, b in pairs if a in (1, 2) and b in (1, 2)]
    counts = count_labels([a == 1 for a, _ in decided], [b == 1 for _, b in decided])
    found = agreement(counts)
    unusable = sum(a is None for a, _ in pairs)
    firsts = sum(a == 1 for a, _ in decided) / len(decided)
    people = sum(b == 1 for _, b in decided) / len(decided)
    return {"judge": name, "n": counts.n, "unusable": unusable, "agreement": _interval(found.accuracy),
            "kappa": _interval(found.kappa), "ac1": _interval(found.ac1), "prefers the first": f"{firsts:.2f}",
            "people do": f"{people:.2f}", "p": f"{found.bias:.2g}"}  # fmt: skip


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """A Markdown table."""
    heads = list(max(rows, key=len))
    print(f"\n{title}\n\n| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for row in rows:
        cells = (row.get(head, "") for head in heads)
        print(
            "| "
            + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells)
            + " |"
        )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("planted", "data"))
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--claims", type=int, default=40)
    parser.add_argument("--suite", type=Path, default=ROOT / "suites" / "qa.yaml")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.what == "planted":
        tables = {
            "coverage": coverage(given.replicates),
            "labels drawn by verdict": drawn_by_verdict(given.replicates),
            "probes": probes(given.replicates),
            "drift": drift(given.replicates),
        }
    else:
        pointwise = against_people(given.data, given.n, given.claims, given.suite)
        tables = {
            "erase and check": erased(given.data, 2_000),
            "pairwise": pairwise(given.data),
            "pointwise": pointwise,
        }
    if given.json:
        json.dump(tables, sys.stdout, indent=1, ensure_ascii=False)
        return
    for title, rows in tables.items():
        show(title, rows)


if __name__ == "__main__":
    main()
