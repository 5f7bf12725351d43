"""The recipes of deploy/: their commands exist, and their queries name metrics that are written."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
import yaml

from llmeval.cli.app import app
from llmeval.core.errors import ExitCode
from llmeval.monitor.metrics_text import metrics_text, monitor_samples
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.streams import StreamKey, Streams
from tests.support.tables import each_row

_METRIC = re.compile(r"\bllmeval_\w+")


def documents(repository: Path, name: str) -> list[Any]:
    return list(yaml.safe_load_all((repository / "deploy" / name).read_text()))


def written_metrics() -> str:
    outcome = MonitorOutcome("support", "x", Streams([StreamKey("m")], 0.02), (), (), ExitCode.PASS)
    now = datetime.now(UTC)
    return metrics_text(monitor_samples(outcome, now), now)


@each_row("name, path", [("argo-analysis.yaml", "query: |"), ("flagger.yaml", "query: |")])
def test_queries_name_written_metrics_and_refuse_an_old_file(
    repository: Path, name: str, path: str
) -> None:
    text = (repository / "deploy" / name).read_text()
    query = re.sub(r"#.*", "", text.split(path)[1].split("---")[0])
    names = set(_METRIC.findall(query))
    assert names == {"llmeval_decision", "llmeval_written_timestamp_seconds"}
    assert all(f"\n{each}" in f"\n{written_metrics()}" for each in names)
    assert 'rule="monitor"' in query and 'rule="monitor"} 1.0' in written_metrics()
    assert "time() - llmeval_written_timestamp_seconds < 93600" in query


def test_argo_pauses_where_nothing_is_decided(repository: Path) -> None:
    (template,) = documents(repository, "argo-analysis.yaml")
    (metric,) = template["spec"]["metrics"]
    assert "== 1" in metric["successCondition"] and "== 0" in metric["failureCondition"]
    for condition in (metric["successCondition"], metric["failureCondition"]):
        python = condition.replace("&&", "and")
        for result in ([float("nan")], []):
            assert not eval(python, {"result": result, "len": len})  # the syntax is the same


def commands(repository: Path) -> list[list[str]]:
    """The command lines of all recipes."""
    lines = []
    for job in documents(repository, "k8s-cronjob.yaml"):
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        lines += [container["command"] for container in pod["containers"]]
    workflow = (repository / "deploy" / "github-schedule.yml").read_text()
    for line in re.findall(r"\b(llmeval (?:monitor|trigger) .*)", workflow):
        lines.append(shlex.split(line.split("||")[0]))
    return lines


def test_commands_are_accepted_by_the_command_line(repository: Path) -> None:
    group = typer.main.get_command(app)
    assert len(commands(repository)) == 4
    for line in commands(repository):
        arguments = line[1:]
        command, context = group, group.make_context("llmeval", [], resilient_parsing=True)
        while hasattr(command, "commands"):
            if arguments[0] not in command.commands:
                arguments = [command.default, *arguments]
            command = command.commands[arguments.pop(0)]
            context = command.make_context("x", list(arguments), resilient_parsing=True)
        left = command.parse_args(context, list(arguments))
        assert not left and {"--reports"} < set(arguments)


def test_the_job_tries_again_only_what_may_change(repository: Path) -> None:
    job, _ = documents(repository, "k8s-cronjob.yaml")
    (rule,) = job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    codes = {int(each) for each in ExitCode} - {0, 130}
    assert set(rule["onExitCodes"]["values"]) == codes - {ExitCode.INVALID}
    assert job["spec"]["concurrencyPolicy"] == "Forbid" and job["spec"]["timeZone"] == "Etc/UTC"
