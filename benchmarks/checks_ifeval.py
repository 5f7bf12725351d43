"""Agreement of the IFEval checks with the published verdicts, by id and language.

    python benchmarks/checks_ifeval.py [--data ../shared/data] [--half a|b|all] [--list] [--json]

Reads `ifeval` and `m_ifeval` below `--data`: prompts with `instruction_id_list` and `kwargs`, responses with the
official `follow_strict` verdicts. Prints "not measured" where they are absent. The halves are drawn by a hash of the
prompt's id.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.checks.bound import BoundCheck
from llmeval.checks.spec import bind
from llmeval.core.records import Answer, Case

SETS = ("ifeval", "m_ifeval")


class Row(NamedTuple):
    """One instruction on one response: where it is, and what both sides say (None: not applicable or an error)."""

    prompt: str
    model: str
    instruction: str
    place: int
    official: bool
    ours: bool | None
    reason: str


def half_of(prompt_id: str) -> str:
    """`a` or `b`, by the id's hash."""
    return "ab"[hashlib.sha256(prompt_id.encode()).digest()[0] % 2]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def read(folder: Path, half: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(prompt, response) pairs of one half."""
    prompts = {prompt["id"]: prompt for prompt in lines(folder / "prompts.jsonl")}
    for response in lines(folder / "responses.jsonl"):
        if half in ("all", half_of(response["prompt_id"])):
            yield prompts[response["prompt_id"]], response


def compare(folder: Path, half: str) -> Iterator[Row]:
    """Every verdict of one set beside ours."""
    bound: dict[str, tuple[BoundCheck, ...]] = {}
    for prompt, response in read(folder, half):
        key = prompt["id"]
        if key not in bound:
            pairs = zip(prompt["instruction_id_list"], prompt["kwargs"], strict=True)
            bound[key] = bind([{name: given} for name, given in pairs])
        answer = Answer(case_id=key, output=response["response"])
        for index, check in enumerate(bound[key]):
            result = check.evaluate(Case(id=key, fields={}), answer, lambda value: value)
            name = prompt["instruction_id_list"][index]
            yield Row(
                key,
                response["model"],
                name,
                index,
                response["follow_strict"][index],
                result.passed,
                result.reason,
            )


def language_of(row: Row) -> str:
    """The language of an id: its prefix, English without one."""
    prefix = row.instruction.split(":")[0]
    return prefix if prefix in ("es", "fr", "ja") else "en"


def table(rows: list[Row]) -> dict[str, Any]:
    """Agreement in all, by language and by id."""
    result: dict[str, Any] = {"all": _share(rows), "language": {}, "id": {}}
    for language in sorted({language_of(row) for row in rows}):
        result["language"][language] = _share([row for row in rows if language_of(row) == language])
    for name in sorted({row.instruction for row in rows}):
        result["id"][name] = _share([row for row in rows if row.instruction == name])
    return result


def _share(rows: list[Row]) -> dict[str, Any]:
    same = sum(row.official == row.ours for row in rows)
    return {"n": len(rows), "same": same, "share": round(same / len(rows), 4)}


def main() -> int:
    """Print the table; exit code 0, also when there is nothing to measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--half", choices=["a", "b", "all"], default="all")
    parser.add_argument("--list", action="store_true", help="also list every disagreement")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folders = [
        options.data / name for name in SETS if (options.data / name / "responses.jsonl").exists()
    ]
    if not folders:
        print(
            json.dumps({"status": "not measured"})
            if options.json
            else f"not measured: no {SETS} in {options.data}"
        )
        return 0
    started = time.perf_counter()
    rows = [row for folder in folders for row in compare(folder, options.half)]
    seconds = time.perf_counter() - started
    report = table(rows)
    if options.json:
        differing = [row._asdict() for row in rows if row.official != row.ours]
        print(
            json.dumps(
                {**report, "seconds": round(seconds, 1), "disagreements": differing},
                ensure_ascii=False,
            )
        )
        return 0
    _print(report, rows, seconds, everything=options.list)
    return 0


def _print(report: dict[str, Any], rows: list[Row], seconds: float, *, everything: bool) -> None:
    for kind in ("id", "language"):
        for name, share in report[kind].items():
            print(f"{name:52} {share['same']:5} / {share['n']:5}  {100 * share['share']:6.2f}%")
    share = report["all"]
    print(
        f"{'all':52} {share['same']:5} / {share['n']:5}  {100 * share['share']:6.2f}%   {seconds:.1f} s"
    )
    differing = [row for row in rows if row.official != row.ours]
    print(
        "stricter than the official verdict:",
        sum(row.official for row in differing),
        "of",
        len(differing),
    )
    print("no verdict:", Counter(row.reason for row in rows if row.ours is None))
    for row in differing if everything else ():
        where = f"{row.prompt} {row.instruction}#{row.place} {row.model}"
        print(f"{where} official={row.official} ours={row.ours} {row.reason}")


if __name__ == "__main__":
    sys.exit(main())
