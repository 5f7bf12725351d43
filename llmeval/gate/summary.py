"""`summary.json`: everything in it recomputed from the records of the run directory."""

from typing import Literal

from msgspec import structs

from llmeval.gate.decide import decide
from llmeval.gate.floors import bounds, is_clustered
from llmeval.gate.own import missing
from llmeval.gate.stopping import settled
from llmeval.gate.tally import Selection, tally_run
from llmeval.records import Metric, Summary
from llmeval.rundir import RunDir

LEVEL = 0.95


def summarise(run: RunDir) -> Summary:
    """What a run came to so far; the same for the same records, whatever their order.

    Raises:
        StoreError: not a run directory.
    """
    manifest = run.manifest()
    tally = tally_run(run, manifest)
    trusts = {name: judge["trust"] for name, judge in manifest["judges"].items()}
    metrics = []
    for name, column in tally.columns.items():
        trust = trusts.get(name)
        for slice_ in (None, *tally.slice_names()):
            selection = tally.select(name, slice_)
            if slice_ is None or selection.n:
                label = None if slice_ is None else "=".join(slice_)
                metrics.append(_metric(name, label, selection, "judge" if name in trusts else column.source, trust))
    whole = not missing(tally, manifest) or settled(tally, manifest)
    complete = whole and manifest["status"] != "incomplete"
    return Summary(
        suite=manifest["suite"],
        run_id=manifest["run_id"],
        status="complete" if complete else "incomplete",
        counts=structs.replace(tally.counts(), not_needed=manifest["cases"]["n"] - tally.cases if complete else 0),
        calls=tally.calls(),
        wall_s=manifest.get("wall_s"),
        metrics=tuple(metrics),
        gate=decide(tally, manifest),
    )


def _metric(
    name: str, label: str | None, selection: Selection, source: str, trust: Literal["TRUSTED", "UNTRUSTED"] | None
) -> Metric:
    low = high = rate = None
    method = ""
    if selection.n:
        low, high = bounds(selection, (1 - LEVEL) / 2)
        rate = selection.passed / selection.n
        method = "clustered" if is_clustered(selection) else "clopper-pearson"
    return Metric(
        metric=name, slice=label, n=selection.n, unscored=selection.unscored, errors=selection.errors,
        mean=selection.mean, passed=selection.passed, pass_rate=rate, low=low, high=high, level=LEVEL, method=method,
        source=source, trust=trust,  # type: ignore[arg-type]
    )  # fmt: skip
