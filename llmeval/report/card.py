"""The section of a model card about one run, and its results in the form of `.eval_results`."""

from collections.abc import Iterator

from llmeval.core.formatting import NOTHING, percent, percent_of
from llmeval.core.manifest import Manifest
from llmeval.core.model_records import JudgeRecord
from llmeval.core.results import Metric, Summary
from llmeval.report.data_words import data_sentence
from llmeval.report.inert_markdown import code, prose

MOST_SLICES = 20
PROVIDER_CHANGES = (
    "The provider can change this model without notice. The results describe the model at the"
    " time of the calls."
)


def card(manifest: Manifest, summary: Summary, seal: str) -> str:
    """The section as Markdown. Text of models, people and suites in it is inert.

    Args:
        manifest: of the run. summary: of the run. seal: the digest of its seal.
    """
    parts = [
        ["## Evaluation", "", *_about(manifest, summary, seal)],
        ["### Results", "", *_results(summary)],
        ["### Rules", "", *_rules(summary)],
        ["### Slices below the mean", "", *_slices(summary)],
        ["### Judges", "", *_judges(manifest)],
        ["### Limits, and what was not tested", "", *_bullets(_limits(manifest, summary))],
    ]
    return "\n\n".join("\n".join(part).strip() for part in parts) + "\n"


def _about(manifest: Manifest, summary: Summary, seal: str) -> Iterator[str]:
    candidate, gate = manifest.candidate, summary.gate
    names = ", ".join(code(name) for name in candidate.returned_models) or "no name"
    yield f"- Model: {code(candidate.name)}. Its endpoint returned: {names}."
    suite = f"{code(manifest.suite)}, {_cases(manifest)}, answers a case: {manifest.repeats}"
    yield f"- Suite: {suite}."
    yield f"- Time of the calls (UTC): {code(manifest.started)} to {code(manifest.ended or '')}."
    yield f"- Decision: {gate.decision or 'none'}. {prose(gate.reason)}".rstrip()
    yield (
        f"- Run {code(summary.run_id)} by llmeval {code(manifest.llmeval.version)}. Its seal is"
        f" {code(seal)}. Check it with `llmeval verify`."
    )
    if candidate.host is not None:
        yield f"- {PROVIDER_CHANGES}"


def _cases(manifest: Manifest) -> str:
    of = manifest.sampled_of
    return f"{manifest.cases.n:,} cases" + ("" if of is None else f" of {of:,}")


def _results(summary: Summary) -> list[str]:
    rows = [each for each in summary.metrics if each.slice is None]
    if not rows:
        return ["No metric."]
    return [
        "| metric | cases | pass rate | interval | method | scored by |",
        "|---|---|---|---|---|---|",
        *[
            f"| {code(each.metric)} | {each.n:,} | {percent(each.pass_rate)} | {_interval(each)} |"
            f" {code(each.method)} | {_source(each)} |"
            for each in rows
        ],
    ]


def _interval(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return NOTHING
    return f"{percent(metric.low)} to {percent(metric.high)} ({percent_of(metric.level)})"


def _source(metric: Metric) -> str:
    return f"{metric.source}, {metric.trust}" if metric.trust else metric.source


def _rules(summary: Summary) -> list[str]:
    rules = summary.gate.rules
    if not rules:
        return ["The gate has no rule, so nothing was decided."]
    return [
        "| rule | decision | reason |",
        "|---|---|---|",
        *[
            f"| {code(' '.join(filter(None, (each.rule, each.metric, each.slice))))} |"
            f" {each.decision} | {prose(each.reason, 300).replace('|', '│') or NOTHING} |"
            for each in rules
        ],
    ]


def _slices(summary: Summary) -> list[str]:
    means = {each.metric: each for each in summary.metrics if each.slice is None}
    below = sorted(
        (
            (each.pass_rate - whole, each)
            for each in summary.metrics
            if each.slice is not None
            and each.pass_rate is not None
            and (whole := means[each.metric].pass_rate if each.metric in means else None)
            is not None
            and each.pass_rate < whole
        ),
        key=lambda row: (row[0], row[1].metric, row[1].slice or ""),
    )
    if not below:
        return ["No slice of the suite is below the mean of its metric."]
    lines = [
        "Some slices are below the mean by chance. Read the intervals.",
        "",
        "| metric | slice | cases | pass rate | interval | mean of all cases |",
        "|---|---|---|---|---|---|",
        *[
            f"| {code(each.metric)} | {code(each.slice or '')} | {each.n:,} |"
            f" {percent(each.pass_rate)} | {_interval(each)} |"
            f" {percent(means[each.metric].pass_rate)} |"
            for _, each in below[:MOST_SLICES]
        ],
    ]
    more = len(below) - MOST_SLICES
    return lines if more <= 0 else [*lines, "", f"{more:,} more slices are below the mean."]


def _judges(manifest: Manifest) -> list[str]:
    if not manifest.judges:
        return ["No judge: every metric is computed by checks."]
    return [f"- {_judge(name, judge)}" for name, judge in manifest.judges.items()]


def _judge(name: str, judge: JudgeRecord) -> str:
    start = f"{code(name)}: {code(judge.model)}, {judge.trust}."
    labels = judge.labels
    if labels is None or judge.certificate_digest is None:
        return f"{start} It has no valid certificate. {prose(judge.trust_reason)}".rstrip()
    good, bad = labels.pass_pass + labels.fail_pass, labels.pass_fail + labels.fail_fail
    return (
        f"{start} Certificate {code(judge.certificate_digest)}: {good + bad:g} labelled answers. It"
        f" passed {labels.pass_pass:g} of {good:g} good answers and failed {labels.fail_fail:g} of"
        f" {bad:g} bad ones."
    )


def _bullets(lines: Iterator[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _limits(manifest: Manifest, summary: Summary) -> Iterator[str]:
    counts = summary.counts
    yield "The results are about the cases of this suite. Nothing else was tested."
    if manifest.sampled_of is not None:
        yield f"The run has {_cases(manifest)} of its source."
    for number, what in (
        (counts.errors, "without a result, because of an error"),
        (counts.unscored, "without a usable verdict of a judge"),
        (counts.needs_review, "that a person has to decide"),
        (counts.not_needed, "that did not run, because every rule was decided without them"),
        (len(manifest.quarantine), "in quarantine, which count in no rule"),
        (len(manifest.retired), "of the baseline that were retired or changed"),
    ):
        if number:
            yield f"{number:,} cases {what}."
    ruled = {rule.metric for rule in summary.gate.rules}
    free = sorted({each.metric for each in summary.metrics if each.slice is None} - ruled)
    if free:
        yield f"No rule of the gate is about {', '.join(map(code, free))}."
    if not any(each.slice for each in summary.metrics):
        yield "The suite has no slices, so no group was compared with another one."
    if manifest.baseline is None:
        yield "The run was not compared with an earlier one."
    for name, judge in manifest.judges.items():
        if not judge.attacks:
            yield f"The judge of {code(name)} was not tested with attacks."
    yield (
        "The cases were not tested for defects."
        if manifest.data is None
        else prose(data_sentence(manifest.data))
    )
    for remark in summary.gate.remarks:
        yield prose(remark)


def eval_results(
    manifest: Manifest, summary: Summary, dataset: str, source_url: str | None
) -> list[dict[str, object]]:
    """The results as entries of a file in `.eval_results`. `verifyToken` is never set: only the Hub
    can state that a result is verified.

    Source: huggingface_hub 2.4, `eval_result_entries_to_yaml`.

    Args:
        manifest: of the run. summary: of the run.
        dataset: the id of the data set on the Hub. source_url: a page with the report.
    """
    entries = []
    for each in summary.metrics:
        if each.slice is not None or each.pass_rate is None:
            continue
        notes = (
            f"pass rate, n={each.n}, {_interval(each)}, {each.method}; run {summary.run_id};"
            f" decision {summary.gate.decision or 'none'}"
        )
        entry: dict[str, object] = {
            "dataset": {"id": dataset, "task_id": each.metric},
            "value": round(100 * each.pass_rate, 4),
            "date": manifest.started,
            "notes": notes + (f"; judge {each.trust}" if each.trust else ""),
        }
        if source_url is not None:
            entry["source"] = {"url": source_url, "name": "llmeval"}
        entries.append(entry)
    return entries
