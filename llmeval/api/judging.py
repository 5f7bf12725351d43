"""Judges from Python: measure a judge on labels, probe it for bias, see whether it is trusted."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from llmeval.api.own_thread import own_loop
from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.model_records import JudgeRecord
from llmeval.core.records import Case, Message, digest

if TYPE_CHECKING:
    from llmeval.core.certificate import Certificate, Probe
    from llmeval.judges.assurance.anchors import Drift
    from llmeval.judges.assurance.certificate import Trust
    from llmeval.judges.assurance.labelled_answers import LabelledAnswer
    from llmeval.judges.assurance.progress import OnProgress
    from llmeval.judges.ensemble import MemberVerdict
    from llmeval.runner.plan import RunPlan

T = TypeVar("T")


class CertifiedJudge(NamedTuple):
    """A certificate and the files that hold it."""

    certificate: "Certificate"
    path: Path
    page: Path
    """The certificate as Markdown, for people."""
    suite_entry: str | None
    """The path that the suite has to name, relative to it. None: the suite names it already."""


class JudgeTrust(NamedTuple):
    """Whether a suite's judge is trusted, and on what that rests."""

    metric: str
    trust: "Trust"
    digest: str
    """The digest of the judge as it is now."""
    certificate_path: str | None
    certificate: "Certificate | None"
    anchors: "Drift | None"
    """The labelled answers that were judged again in past runs, for a trusted judge."""
    parts: dict[str, Any]
    """Everything whose change voids the certificate."""


@own_loop
def certify(
    suite: str | Path,
    labels: Sequence[str | Path],
    *,
    metric: str | None = None,
    out: str | Path | None = None,
    probes: bool = False,
    days: int = 90,
    environment: str | None = None,
    use_cache: bool = True,
    on_start: Callable[[int], None] = lambda answers: None,
    on_progress: "OnProgress" = lambda progress: None,
) -> CertifiedJudge:
    """Measure a judge on labelled answers and write its certificate.

    Args:
        suite: the suite file.
        labels: files of labelled answers (.jsonl), or run directories with labels.
        metric: the judge; None where the suite has only one.
        out: the certificate's file; None: where the suite names it, or `certificates/` next to the
            suite.
        probes: whether to probe for bias too; this takes about five times the calls.
        days: the certificate is valid for so many days.
        environment: one of the suite's environments.
        use_cache: whether stored replies may be used.
        on_start: called with the number of labelled answers before the first call.
        on_progress: called after each verdict, with what is left in time and cost.

    Raises:
        SuiteError: the suite is not valid.
        UsageError: the suite has no such judge, or the labels are too few.
    """
    import msgspec

    from llmeval import __version__
    from llmeval.judges.assurance import certify as measurement
    from llmeval.judges.assurance.probes import probe
    from llmeval.judges.assurance.progress import CountedJudge, JudgingProgress

    plan, judge, stated = _judge(Path(suite), metric, environment, use_cache=use_cache)
    paths = [Path(path) for path in labels]
    answers = _labelled_answers(plan, judge.metric, paths)
    on_start(len(answers))
    progress = JudgingProgress(measurement.verdicts_needed(len(answers), probes=probes))
    counted = CountedJudge(judge, progress, on_progress)

    async def measure() -> "Certificate":
        certificate = await measurement.certify(
            counted, answers, suite=plan.suite.name, days=days, version=__version__
        )
        if not probes:
            return certificate
        bias = await probe(counted, measurement.usable(answers))
        return msgspec.structs.replace(certificate, probes=bias)

    certificate = _run(plan, measure())
    name = f"{plan.suite.name}-{judge.metric}.json"
    path = Path(out) if out else stated or plan.suite.base / "certificates" / name
    entry = None if stated is not None else os.path.relpath(path, plan.suite.base)
    certificate, page = _write(certificate, path, paths)
    return CertifiedJudge(certificate, path, page, entry)


@own_loop
def probe_judge(
    suite: str | Path,
    labels: Sequence[str | Path],
    *,
    metric: str | None = None,
    environment: str | None = None,
    use_cache: bool = True,
    on_start: Callable[[int], None] = lambda answers: None,
) -> "tuple[Probe, ...]":
    """Probe a judge for bias: the same answers longer, formatted, attributed to experts, or signed.

    The tests are exact and paired, with Holm's correction over the probes.

    Args:
        suite: the suite file. labels: as in `certify`.
        metric: the judge; None where the suite has only one.
        environment: one of the suite's environments.
        use_cache: whether stored replies may be used.
        on_start: called with the number of labelled answers before the first call.

    Raises:
        SuiteError: the suite is not valid.
        UsageError: the suite has no such judge.
    """
    from llmeval.judges.assurance.certify import usable
    from llmeval.judges.assurance.probes import probe

    plan, judge, _ = _judge(Path(suite), metric, environment, use_cache=use_cache)
    answers = usable(_labelled_answers(plan, judge.metric, [Path(path) for path in labels]))
    on_start(len(answers))
    return _run(plan, probe(judge, answers))


@own_loop
def judge_trust(
    suite: str | Path,
    *,
    metric: str | None = None,
    environment: str | None = None,
    reports: str | Path = "reports",
) -> list[JudgeTrust]:
    """Whether the judges of a suite are trusted, why, and what would void that.

    Args:
        suite: the suite file.
        metric: only this judge.
        environment: one of the suite's environments.
        reports: the folder of past runs, for the labelled answers that were judged again.

    Raises:
        SuiteError: the suite or a certificate is not valid.
    """
    from llmeval.judges.assurance.certificate import parts_of, read_certificate, trust

    plan = _plan(Path(suite), environment, use_cache=False)
    results = []
    for name, judge in plan.judges.items():
        if metric not in (None, name):
            continue
        stated = plan.suite.judge(name).certificate
        path = None if stated is None else plan.suite.base / stated
        parts = parts_of(judge)
        state = trust(judge.digest, path, parts)
        certificate = None if path is None else read_certificate(path)
        anchors = None
        if path is not None and certificate is not None and state.state == "TRUSTED":
            folder = Path(reports) / plan.suite.name
            anchors = _drift(folder, name, judge.digest, path, certificate)
            state = anchors.verdict() or state
        results.append(JudgeTrust(name, state, judge.digest, stated, certificate, anchors, parts))
    asyncio.run(plan.close())
    return results


def _drift(
    folder: Path, metric: str, judge: str, path: Path, certificate: "Certificate"
) -> "Drift":
    """What the anchors of a certificate showed in the past runs below `folder`."""
    from llmeval.history.anchor_history import past_anchors
    from llmeval.judges.assurance.anchors import over_runs

    bound = JudgeRecord(digest=judge, certificate_digest=digest(path.read_bytes()))
    return over_runs(past_anchors(folder, metric, bound), certificate)


def _plan(suite_path: Path, environment: str | None, *, use_cache: bool) -> "RunPlan":
    """The suite's plan, made without certificates: one of them may be the file to write."""
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan
    from llmeval.suite.loader import load_suite

    suite = load_suite(suite_path, environment)
    judges = {
        name: spec.model_copy(update={"certificate": None})
        for name, spec in suite.spec.judges.items()
    }
    without = replace(suite, spec=suite.spec.model_copy(update={"judges": judges}))
    return replace(plan(without, Options(use_cache=use_cache)), suite=suite)


def _judge(
    suite: Path, metric: str | None, environment: str | None, *, use_cache: bool
) -> "tuple[RunPlan, MemberVerdict, Path | None]":
    """The plan, the judge, and the file that the suite names as its certificate."""
    plan = _plan(suite, environment, use_cache=use_cache)
    if not plan.judges:
        raise UsageError(f"{suite}: the suite has no judge")
    if metric is None and len(plan.judges) == 1:
        metric = next(iter(plan.judges))
    if metric is None or metric not in plan.judges:
        names = ", ".join(plan.judges)
        raise UsageError(f"{suite}: name the judge as SUITE:METRIC; the suite's judges: {names}")
    stated = plan.suite.judge(metric).certificate
    return plan, plan.judges[metric], None if stated is None else plan.suite.base / stated


def _labelled_answers(
    plan: "RunPlan", metric: str, labels: Sequence[Path]
) -> "list[LabelledAnswer]":
    """Labelled answers from files and run directories."""
    from llmeval.judges.assurance.labelled_answers import from_file, from_run
    from llmeval.store.directory import RunDir

    def messages(case: Case) -> tuple[Message, ...]:
        try:
            return plan.messages(case)
        except SuiteError:
            # The case is not the suite's own: the prompt may use fields that it does not have.
            return (Message("user", str(case.fields.get("question", ""))),)

    cases = {case.id: case for case in plan.cases}
    answers: list[LabelledAnswer] = []
    for path in labels:
        if path.is_dir():
            run = RunDir(path)
            answers += from_run(run, _human_labels(run, metric), messages)
        else:
            answers += from_file(path, cases, messages)
    return answers


def _human_labels(run: Any, metric: str) -> list[Any]:
    """The labels of a run on one metric that are about its present answers."""
    from llmeval.judges.assurance.labelled_answers import HumanLabel
    from llmeval.review.intake import answers_of, fits
    from llmeval.store.directory import LABELS
    from llmeval.store.draws import drawn_by_verdict
    from llmeval.store.labels import current, place_of, read

    answers, drawn = answers_of(run), drawn_by_verdict(run.path)
    return [
        HumanLabel(
            label.case_id,
            label.repeat,
            label.reviewer,
            label.human_verdict == "pass",
            label.adjudication,
            "stratified" if place_of(label) in drawn else "triage",
            drawn.get(place_of(label)),
            label.blind,
        )
        for label in current(read(run.path / LABELS)).values()
        if label.metric == metric
        and label.human_verdict in ("pass", "fail")
        and fits(label, answers)
    ]


def _run(plan: "RunPlan", work: Coroutine[object, object, T]) -> T:
    """The result of `work`. The plan's models are closed afterwards."""

    async def run() -> T:
        try:
            return await work
        finally:
            await plan.close()

    return asyncio.run(run())


def _write(
    certificate: "Certificate", path: Path, labels: Sequence[Path]
) -> "tuple[Certificate, Path]":
    """Write the certificate, which names its label files, and its page; both, the page as path."""
    import json

    import msgspec

    from llmeval.core.files import write_atomically
    from llmeval.judges.assurance.certificate_markdown import page

    digests = {each.name: digest(each.read_bytes()) for each in labels if each.is_file()}
    provenance = {**certificate.provenance, "files": digests}
    certificate = msgspec.structs.replace(certificate, provenance=provenance)
    text = json.dumps(msgspec.to_builtins(certificate), indent=1, ensure_ascii=False)
    write_atomically(path, text.encode() + b"\n")
    markdown = path.with_suffix(".md")
    write_atomically(markdown, page(certificate).encode())
    return certificate, markdown
