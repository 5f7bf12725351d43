"""`summary.json`: everything in it recomputed from the records of the run directory."""

from typing import Literal

from msgspec import structs

from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import slice_label
from llmeval.core.results import Audit, Calls, CaseCounts, Metric, Summary
from llmeval.core.used_judges import with_trust_of
from llmeval.gate.aggregate import MetricSample, RunAggregate
from llmeval.gate.baseline_notices import against, with_remarks
from llmeval.gate.decide import decide
from llmeval.gate.number_summary import number_metrics
from llmeval.gate.rules.floors import bounds, is_clustered
from llmeval.gate.rules.single_run import missing
from llmeval.gate.run_pass import aggregate_run
from llmeval.gate.stopping import settled
from llmeval.stats.sequential.betting import anytime_bounds
from llmeval.store.run_store import RunStore

LEVEL = 0.95


def summarise(run: RunStore, manifest: Manifest | None = None) -> Summary:
    """What a run came to so far; the same for the same records, whatever their order.

    Args:
        run: the run.
        manifest: the run's, with another gate or quarantine than it was made by.

    Raises:
        StoreError: not a run directory.
    """
    manifest = run.manifest() if manifest is None else manifest
    return summary_of(aggregate_run(run, manifest), manifest)


def summary_of(aggregate: RunAggregate, manifest: Manifest) -> Summary:
    """What a run came to, from its numbers and its manifest."""
    manifest = with_trust_of(manifest, aggregate.judges)
    trusts = {name: judge.trust for name, judge in manifest.judges.items()}
    absent = missing(aggregate, manifest)
    stopped = bool(absent) and manifest.status == "complete" and settled(aggregate, manifest)
    if stopped:
        absent = []
    metrics = []
    for name, column in aggregate.columns.items():
        trust = trusts.get(name)
        for slice_ in (None, *aggregate.slice_names()):
            selection = aggregate.select(name, slice_)
            if slice_ is None or selection.n:
                label = None if slice_ is None else slice_label(slice_)
                source = "judge" if name in trusts else column.source
                metric = _metric(name, label, selection, source, trust, stopped=stopped)
                metrics.append(
                    metric
                    if label
                    else structs.replace(metric, audit=audit_of(aggregate, manifest, name))
                )
    complete = not absent
    compared = against(aggregate, manifest)
    return Summary(
        suite=manifest.suite,
        run_id=manifest.run_id,
        status="complete" if complete else "incomplete",
        counts=_counts(aggregate, manifest, complete=complete),
        calls=_calls(aggregate, manifest),
        reuse=aggregate.calls.reuse(),
        wall_s=manifest.wall_s,
        metrics=tuple(metrics),
        numbers=number_metrics(aggregate, manifest),
        drops=compared.drops if complete and not manifest.is_part else (),
        gate=with_remarks(decide(aggregate, manifest, absent), compared, manifest),
        quarantine=tuple(
            structs.replace(entry, passed=aggregate.aside.get(entry.case_id))
            for entry in manifest.quarantine
        ),
        quarantine_ended=manifest.quarantine_ended,
        retired=compared.gone.retired,
        gate_changes=compared.changes,
    )


def _calls(aggregate: RunAggregate, manifest: Manifest) -> dict[str, Calls]:
    """Calls by role: those of the records, and those made for cases that the run did not finish."""
    calls = aggregate.calls.by_role()
    for role, role_calls in manifest.unfinished_calls.items():
        recorded = calls.get(role, Calls())
        calls[role] = structs.replace(recorded, made=recorded.made + role_calls)
    return calls


def audit_of(aggregate: RunAggregate, manifest: Manifest, metric: str) -> Audit | None:
    """What the audits of a metric's cascade come to."""
    judge = manifest.judges.get(metric)
    members = None if judge is None else judge.seats
    audits = aggregate.audits.get(metric)
    return None if audits is None or not members else audits.found(len(members))


def _counts(aggregate: RunAggregate, manifest: Manifest, *, complete: bool) -> CaseCounts:
    """Cases by outcome. Of a run that may stop early, answers without their judge's verdict were
    not needed where it is complete, and wait for it where it was interrupted."""
    counts = aggregate.counts()
    if complete:
        n = aggregate.cases + len(aggregate.aside)
        return structs.replace(counts, not_needed=manifest.cases.n - n)
    waiting = -(-aggregate.waiting // manifest.repeats) if aggregate.may_stop else 0
    return structs.replace(
        counts, cases=counts.cases + waiting, not_scored=counts.not_scored + waiting
    )


def _metric(
    name: str,
    label: str | None,
    selection: MetricSample,
    source: str,
    trust: Literal["TRUSTED", "UNTRUSTED"] | None,
    *,
    stopped: bool,
) -> Metric:
    """One metric over one slice. `stopped`: the run stopped by what it saw, and the interval has to
    allow for that.
    """
    low = high = rate = None
    method = ""
    if selection.n:
        alpha = (1 - LEVEL) / 2
        rate = selection.passed / selection.n
        if stopped:
            low, high = anytime_bounds(selection.outcomes, alpha, selection.clusters)
            method = "betting"
        else:
            low, high = bounds(selection, alpha)
            method = "clustered" if is_clustered(selection) else "clopper-pearson"
    return Metric(
        metric=name,
        slice=label,
        n=selection.n,
        unscored=selection.unscored,
        errors=selection.errors,
        needs_review=selection.needs_review,
        mean=selection.mean,
        passed=selection.passed,
        pass_rate=rate,
        low=low,
        high=high,
        level=LEVEL,
        method=method,
        source=source,  # type: ignore[arg-type]
        trust=trust,
    )
