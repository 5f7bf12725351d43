"""Attempts of one change, pooled: a run that is tried again until it passes promises nothing.

The first attempt has half of each error rate, the others share the rest (`GateRecord.rates_at`).
Each attempt is tested on the answers of all attempts so far, a case by its mean. So the
probability of any wrong PASS, or any wrong FAIL, over all attempts stays at the stated rate, by
Bonferroni's inequality: nothing else is assumed about how the attempts depend on each other. An
attempt that stopped early counts with the cases that it asked; how many these are depends on their
results, so for what follows it the rates are approximate.

Attempts with the same answers are one: a model that always answers alike has one chance only. Its
seconds differ anyway, so rules about numbers count each attempt whose numbers are not the
same (`number_share`). They are not pooled: each attempt decides on its own answers at its own
rates, which add up to the stated ones.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from llmeval.core.attempt import (
    ATTEMPTS_SCHEMA,
    AttemptColumn,
    AttemptRecord,
    AttemptsFile,
    AttemptValues,
)
from llmeval.core.errors import StoreError
from llmeval.core.files import PRIVATE, write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import metric_of
from llmeval.core.numbers import parse_number
from llmeval.core.records import digest
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.aggregate import CASES, RunAggregate
from llmeval.gate.baseline import scorer_digest
from llmeval.gate.holm import Rule
from llmeval.gate.kept_numbers import kept_numbers
from llmeval.gate.rules.expand import metrics_of
from llmeval.gate.run_pass import aggregate_run
from llmeval.store.directory import ATTEMPTS, RunDir

_DIGITS = 6


class Attempts(NamedTuple):
    """What a run's attempts come to."""

    record: AttemptRecord | None
    """None where the gate counts none."""
    number: int = 1
    """Which attempt this is, where attempts with the same answers are one."""
    values: tuple[AttemptValues, ...] = ()
    """The earlier attempts that this one is pooled with."""
    unread: tuple[str, ...] = ()
    """Ids of earlier attempts whose results can't be read."""
    measured: int = 1
    """Which attempt this is for rules about numbers, where attempts with the same numbers are one.
    """

    def number_share(self, manifest: Manifest) -> float:
        """The share of this attempt's error rates that rules about numbers have; 0 where their
        rates are used up.
        """
        if self.record is None or self.measured <= self.number:
            return 1.0
        gate = manifest.gate
        rates, all_rules = gate.rates_at(self.measured), gate.rates_at(self.number)
        return 0.0 if rates is None or all_rules is None else rates[0] / all_rules[0]

    def manifest(self, manifest: Manifest) -> Manifest:
        """The manifest with the error rates of this attempt. From the second attempt on, the
        run goes to its end and is read once.
        """
        if self.record is None:
            return manifest
        gate = manifest.gate
        rates = gate.rates_at(self.number) or gate.rates_at(gate.attempts)
        alpha, beta = rates or (gate.alpha, gate.beta)
        stop = "never" if self.number > 1 else gate.stop
        return structs.replace(
            manifest, gate=structs.replace(gate, alpha=alpha, beta=beta, stop=stop)
        )

    def spent(self, manifest: Manifest) -> bool:
        """Whether the error rates are used up by the attempts before this one."""
        return self.record is not None and manifest.gate.rates_at(self.number) is None

    def sentence(self, manifest: Manifest) -> str:
        """Which attempt this is and what it rests on; empty for a first one."""
        record = self.record
        if record is None:
            return ""
        if self.number == 1 and self.number_share(manifest) < 1:
            return (
                f"Attempt {self.measured} for rules about numbers; {_earlier(record)}. The answers"
                " are the same, the numbers are not."
            )
        if self.number == 1:
            if record.ci is None or record.ci <= record.number:
                return ""
            return (
                f"The CI server calls this attempt {record.ci}. The reports folder does not hold"
                " the earlier ones, so the error rates are those of a first attempt."
            )
        counted = f"Attempt {self.number}; {_earlier(record)}."
        if self.spent(manifest):
            return counted
        pooled = f" {'Its' if len(self.values) == 1 else 'Their'} answers are pooled"
        if self.unread:
            missing = ", ".join(self.unread[:3])
            pooled = f" The results of {missing} can't be read, so they are not pooled"
        alpha, _ = manifest.gate.rates_at(self.number) or (manifest.gate.alpha, 0)
        share = round(manifest.gate.alpha / alpha)
        return f"{counted}{pooled} with this run's, and it may use 1/{share} of each error rate."


def _earlier(record: AttemptRecord) -> str:
    """Such as `1 and 2 were INCONCLUSIVE, 3 was FAIL`."""
    numbers: dict[Decision | None, list[int]] = {}
    for number, each in enumerate(record.earlier, start=1):
        numbers.setdefault(each.decision, []).append(number)
    parts = []
    for decision, which in numbers.items():
        *first, last = map(str, which)
        listed = f"{', '.join(first)} and {last}" if first else last
        was = "can't be read" if decision is None else f"{'were' if first else 'was'} {decision}"
        parts.append(f"{listed} {was}")
    return ", ".join(parts)


def values_of_attempt(run: RunDir) -> AttemptValues:
    """The results of a run, case by case.

    Raises:
        StoreError: its records can't be read.
    """
    manifest = run.manifest()
    aggregate = aggregate_run(run, manifest)
    names = list(aggregate.case_digests())
    return AttemptValues(
        run_id=manifest.run_id,
        cases=aggregate.case_digests(),
        outputs=tuple(aggregate.outputs()),
        metrics={
            metric: _column(aggregate, metric, names, scorer_digest(manifest, metric))
            for metric in (*aggregate.columns, CASES)
        },
        numbers=_numbers_digest(aggregate, manifest),
    )


def _measures(aggregate: RunAggregate, manifest: Manifest) -> bool:
    """Whether a rule of the gate is about a number."""
    gate, metrics = manifest.gate, metrics_of(aggregate, manifest)
    named = (metric_of(key) for key in (*gate.margins, *gate.release_margins))
    return bool(gate.limits) or any(
        metric not in metrics and parse_number(metric, aggregate.numbers.names) is not None
        for metric in named
    )


def _numbers_digest(aggregate: RunAggregate, manifest: Manifest) -> str:
    return digest(msgspec.to_builtins(kept_numbers(aggregate, manifest)))


def _column(
    aggregate: RunAggregate, metric: str, names: Sequence[str], scorer: str
) -> AttemptColumn:
    results = [aggregate.result(metric, name) for name in names]
    kept = [None if each is None else each.value for each in results]
    missing = [value is not None and value != value for value in kept]
    return AttemptColumn(
        scorer=scorer,
        values=tuple(
            "-" if value is None else None if gone else round(value, _DIGITS)
            for value, gone in zip(kept, missing, strict=True)
        ),
        passed="".join(
            "-" if each is None or gone else "ny"[each.passed]
            for each, gone in zip(results, missing, strict=True)
        ),
    )


def keep_earlier(run: Path, earlier: Sequence[RunDir]) -> None:
    """Copy what earlier attempts came to into a run's directory. One that can't be read is left
    out, and the run says so.
    """
    kept = []
    for each in earlier:
        try:
            kept.append(values_of_attempt(each))
        except StoreError:
            continue
    if earlier:
        file = AttemptsFile(attempts=tuple(kept))
        write_atomically(run / ATTEMPTS, msgspec.json.encode(file), mode=PRIVATE)


def copy_earlier(source: Path, run: Path, record: AttemptRecord | None) -> bool:
    """Copy the results of earlier attempts from the run whose answers are scored again. False
    where that run keeps none, or the new one has no earlier attempts.
    """
    kept = source / ATTEMPTS
    if record is None or not record.earlier or not kept.is_file():
        return False
    if source != run:
        write_atomically(run / ATTEMPTS, kept.read_bytes(), mode=PRIVATE)
    return True


def attempts_of(aggregate: RunAggregate, manifest: Manifest) -> Attempts:
    """The attempts of a run's change, as its directory has them."""
    record = manifest.attempt
    if record is None or manifest.gate.attempts == 1:
        return Attempts(None)
    kept = _read(aggregate.path / ATTEMPTS) if record.earlier else {}
    answers = _answers(aggregate.case_digests(), aggregate.outputs()) if record.earlier else {}
    distinct: list[tuple[AttemptValues, dict[str, str]]] = []
    unread = []
    measures = _measures(aggregate, manifest)
    numbers = {_numbers_digest(aggregate, manifest)} if measures and kept else set()
    measured = 1
    for each in record.earlier:
        values = kept.get(each.run_id)
        if values is None:
            unread.append(each.run_id)
            continue
        if measures and (not values.numbers or values.numbers not in numbers):
            measured += 1
            numbers.add(values.numbers)
        theirs = _answers(values.cases, values.outputs)
        if not _alike(theirs, answers) and not any(_alike(theirs, other) for _, other in distinct):
            distinct.append((values, theirs))
    return Attempts(
        record,
        1 + len(distinct) + len(unread),
        tuple(_scored_alike(values, manifest) for values, _ in distinct),
        tuple(unread),
        measured + len(unread) * measures,
    )


def _scored_alike(values: AttemptValues, manifest: Manifest) -> AttemptValues:
    """An attempt without the metrics that something else scored."""
    metrics = {
        metric: column
        for metric, column in values.metrics.items()
        if column.scorer == scorer_digest(manifest, metric)
    }
    return structs.replace(values, metrics=metrics)


def _read(path: Path) -> dict[str, AttemptValues]:
    """By run id; empty where there is no such file, or none of this format."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=AttemptsFile)
    except (OSError, ValueError):
        return {}
    if file.schema > ATTEMPTS_SCHEMA:
        return {}
    whole = [
        each
        for each in file.attempts
        if len(each.cases) == len(each.outputs)
        and all(
            len(column.values) == len(column.passed) == len(each.cases)
            for column in each.metrics.values()
        )
    ]
    return {each.run_id: each for each in whole}


def _answers(cases: dict[str, str], outputs: Sequence[str]) -> dict[str, str]:
    return {
        f"{name} {seen}": output
        for (name, seen), output in zip(cases.items(), outputs, strict=True)
    }


def _alike(one: dict[str, str], two: dict[str, str]) -> bool:
    """Whether two attempts have the same answers on all cases that both asked."""
    shared = one.keys() & two.keys()
    return bool(shared) and all(one[name] == two[name] for name in shared)


def when_spent(rule: Rule, attempts: Attempts, manifest: Manifest) -> Rule:
    """A rule of an attempt beyond those that the error rates cover: it neither PASSes nor FAILs."""
    if not attempts.spent(manifest):
        return rule

    def decided(level: float) -> RuleDecision:
        decision = rule(level)
        if decision.decision not in (Decision.PASS, Decision.FAIL):
            return decision
        reason = (
            f"{decision.reason} The error rates cover {manifest.gate.attempts} attempts of one"
            f" change (`gate.attempts`), and this is attempt {attempts.number}: it decides nothing."
            " A change of the repository's files starts a new count."
        )
        return structs.replace(
            decision, decision=Decision.INCONCLUSIVE, reason=reason, tipping_point=None
        )

    return decided


def when_alone_fails(rule: Rule, alone: Callable[[], RuleDecision]) -> Rule:
    """A rule that does not PASS where this run's answers alone FAIL: good answers of earlier
    attempts say nothing about a model that has become worse since. It withholds a PASS only, so it
    takes no share of the error rates.

    Args:
        rule: on the answers of all attempts.
        alone: decides the same rule on this run's answers, at the whole rates; asked only where
            the rule would PASS.
    """

    def decided(level: float) -> RuleDecision:
        decision = rule(level)
        if decision.decision is not Decision.PASS:
            return decision
        own = alone()
        if own.decision is not Decision.FAIL:
            return decision
        reason = f"{decision.reason} But this run's answers alone FAIL: {own.reason}"
        return structs.replace(
            decision,
            decision=Decision.INCONCLUSIVE,
            reason=reason,
            tipping_point=None,
            fell=own.fell,
        )

    return decided
