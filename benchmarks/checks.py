"""Every figure on the checks in one go: each script below on its data, formats, the time each group takes, and 1 MB.

    python benchmarks/checks.py [--data ../shared/data] [--only facts,near_misses,ifeval,punctuation,language,schema,overlap,speed,megabyte]

What is not there is reported as "not measured".
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from llmeval.checks.base import Result
from llmeval.checks.examples import example
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case

HERE = Path(__file__).parent
SCRIPTS = {
    "facts": ["checks_facts.py", "--half", "report"],
    "near_misses": ["checks_near_misses.py"],
    "ifeval": ["checks_ifeval.py", "--half", "all"],
    "punctuation": ["checks_punctuation.py", "--half", "held"],
    "language": ["checks_language.py"],
}
WITHOUT_DATA = {"megabyte": ["checks_megabyte.py"]}
PROSE = "The committee met on 3 May 2021 in Vienna. It agreed, after long debate, to raise the budget by 4.5 %. "


def evaluate(check: Any, text: str, *references: str) -> Result:
    """What a check says of a text."""
    (bound,) = bind([check])
    return bound.evaluate(
        Case("a", {}, references=references), Answer(case_id="a", output=text), lambda value: value
    )


def schema(data: Path) -> None:
    """json_schema against published labels of instances."""
    file = data / "json_schema_instances" / "schemas.jsonl"
    if not file.exists():
        print("json_schema: not measured")
        return
    counts: dict[str, list[int]] = {}
    refused = 0
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for instance in row["instances"]:
            try:
                result = evaluate(
                    {"json_schema": {"schema": row["schema"]}}, json.dumps(instance["data"])
                )
            except (SpecError, CheckError) as error:
                refused += 1
                print(f"  refused: {row['id']}: {str(error)[:120]}")
                break
            kind = counts.setdefault(instance["check"], [0, 0])
            kind[0] += result.passed == instance["valid"]
            kind[1] += 1
    for kind, (same, n) in sorted(counts.items()):
        print(f"json_schema, labels {kind}: {same} of {n} agree ({100 * same / n:.2f} %)")
    print(f"json_schema: {refused} schemas refused")


def overlap() -> None:
    """bleu and chrf against sacrebleu, on texts made here."""
    try:
        from sacrebleu import sentence_bleu, sentence_chrf
    except ImportError:
        print("bleu, chrf: not measured (no sacrebleu)")
        return
    words = "the cat sat on a mat and the dog ran after it, then 3.5 birds flew away".split()
    pairs = [
        (" ".join(words[i:] + words[:i]), " ".join(words[j:])) for i in range(9) for j in range(9)
    ]
    bleu = max(
        abs(
            (evaluate({"bleu": {"references": [b]}}, a).value or 0)
            - sentence_bleu(a, [b]).score / 100
        )
        for a, b in pairs
    )
    chrf = max(
        abs(
            (evaluate({"chrf": {"references": [b]}}, a).value or 0)
            - sentence_chrf(a, [b]).score / 100
        )
        for a, b in pairs
    )
    print(
        f"bleu, chrf: largest difference from sacrebleu {bleu:.1e}, {chrf:.1e} on {len(pairs)} pairs"
    )


def speed() -> None:
    """Time of each group's checks on their examples, or on 520 characters of prose: processor time, the best of 4 batches."""
    print("\n| group | checks | median µs a check | slowest |\n|---|---|---|---|")
    groups: dict[str, list[tuple[float, str]]] = {}
    for name, kind in all_checks().items():
        found = example(name)
        if found is None:
            continue
        (bound,) = bind([found.check])
        case = Case("a", {}, context=found.context)
        answer = Answer(case_id="a", output=found.passes or PROSE * 5)
        batches = []
        for _ in range(4):  # the first one imports and fills caches
            started = time.process_time()
            for _ in range(20):
                bound.evaluate(case, answer, lambda value: value)
            batches.append((time.process_time() - started) / 20 * 1e6)
        groups.setdefault(kind.group, []).append((min(batches), name))
    for group, times in sorted(groups.items()):
        times.sort()
        print(
            f"| {group} | {len(times)} | {times[len(times) // 2][0]:.0f} | {times[-1][1]} {times[-1][0]:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument(
        "--only",
        default="facts,near_misses,ifeval,punctuation,language,schema,overlap,speed,megabyte",
    )
    options = parser.parse_args()
    for name in options.only.split(","):
        print(f"\n## {name}\n", flush=True)
        if name in WITHOUT_DATA:
            script, *more = WITHOUT_DATA[name]
            subprocess.run([sys.executable, str(HERE / script), *more], check=False)
        elif name in SCRIPTS:
            script, *more = SCRIPTS[name]
            subprocess.run(
                [sys.executable, str(HERE / script), "--data", str(options.data), *more],
                check=False,
            )
        elif name == "schema":
            schema(options.data)
        elif name == "overlap":
            overlap()
        elif name == "speed":
            speed()
        else:
            parser.error(f"no part {name!r}")


if __name__ == "__main__":
    main()
