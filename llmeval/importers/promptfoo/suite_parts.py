"""Parts of an imported suite: which tests become cases, and what stands at its head."""

import fnmatch
from pathlib import Path
from typing import Any

from llmeval.core.templates import is_template
from llmeval.importers.ledger import Ledger
from llmeval.importers.promptfoo.cases import ImportedRow
from llmeval.importers.promptfoo.prompts import Prompt
from llmeval.importers.promptfoo.templates import variables


def remaining_rows(rows: list[ImportedRow], ledger: Ledger) -> list[ImportedRow]:
    """The tests that still have an assertion. If none has, all of them only run."""
    scored = [row for row in rows if not row.stripped]
    for row in rows:
        if row.stripped:
            message = "no assertion of this test is left"
            ledger.leave_out(row.test.place, message if scored else f"{message}: it only runs")
    return scored or rows


def one_case(
    rows: list[ImportedRow],
    prompts: list[Prompt],
    models: dict[str, tuple[dict[str, Any], list[str]]],
    ledger: Ledger,
) -> list[ImportedRow]:
    """One case with the assertions of all tests, if all of them send the same prompt."""
    same = len(rows) > 1 and not any(prompt.variables for prompt in prompts)
    if not same or any(model["provider"] == "http" for model, _ in models.values()):
        return rows
    first, *others = rows
    if any("references" in row.data or "context" in row.data for row in others):
        return rows
    ledger.note(
        first.test.place,
        "the prompt has no variable, so all tests send the same: one case has their assertions",
    )
    own = [check for row in rows for check in (*row.defaults, *row.own)]
    criteria = [text for row in rows for text in row.data.get("criteria", [])]
    first.data.update({"criteria": list(dict.fromkeys(criteria))} if criteria else {})
    first.own = [check for index, check in enumerate(own) if check not in own[:index]]
    first.defaults = []
    first.only_runs = all(row.only_runs for row in rows)
    for row in others:
        first.judged |= row.judged
        first.informational |= row.informational
    return [first]


def same_model(one: dict[str, object], other: dict[str, object]) -> bool:
    """Whether two models differ at most in their settings."""
    keys = ("provider", "model", "base_url", "function", "url")
    return all(one.get(key) == other.get(key) for key in keys)


def is_drawn(metric: str) -> bool:
    """Whether a metric's name was made unique, so that no rule can name it."""
    return "#" in metric or "@" in metric


def label_matches(label: str, pattern: str) -> bool:
    """Whether a prompt's label is one that a provider names: itself, its group, or a pattern."""
    return (
        label == pattern or label.startswith(f"{pattern}:") or fnmatch.fnmatchcase(label, pattern)
    )


def used_variables(check: object) -> set[str]:
    """The variables in the templates of a check."""
    if isinstance(check, dict):
        return set().union(*map(used_variables, check.values())) if check else set()
    if isinstance(check, list):
        return set().union(*map(used_variables, check)) if check else set()
    return variables(check) if isinstance(check, str) and is_template(check) else set()


def head_lines(source: Path, others: list[str], path: Path, gate: object) -> list[str]:
    """The comment at the start of a suite file."""
    lines = [f"Imported from promptfoo's {source.name}. Run it: llmeval run {path}"]
    if others:
        lines.append(f"Other candidates: llmeval run {path} --candidate {' | '.join(others)}")
    if gate == {"must_pass": "all"}:
        lines += [
            (
                "promptfoo fails when one test fails, and so does this suite (`must_pass: all`)."
                " Rules about rates, with stated"
            ),
            "error rates: `gate: {floors: {cases: 0.9}}`, see docs/decisions.md.",
        ]
    return lines
