"""GitHub Actions: annotations, the job's summary, and the step's outputs.

Source: GitHub Docs, "Workflow commands for GitHub Actions"; escapes as in actions/toolkit.
"""

from collections.abc import Mapping
from pathlib import Path

from llmeval.report.ci.annotations import Annotation, RunNotice, annotations
from llmeval.report.markdown import markdown

SUMMARY_BYTES = 900_000
"""A step's summary above 1 MiB is thrown away whole."""


def tell_github(notice: RunNotice, environment: Mapping[str, str]) -> list[str]:
    """Append to the files that the runner names; gives the annotations as workflow commands."""
    if target := environment.get("GITHUB_STEP_SUMMARY"):
        add_summary(Path(target), markdown(notice.view))
    if target := environment.get("GITHUB_OUTPUT"):
        with Path(target).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={_line(value)}\n" for name, value in _outputs(notice).items())
    return [command(annotation) for annotation in annotations(notice)]


def add_summary(path: Path, text: str) -> None:
    """Append to a job's summary, within what is left of its limit: the end is cut, never the
    decision at the top.
    """
    room = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
    data = (text + "\n").encode()
    if len(data) > room:
        note = b"\n\nMore in report.html.\n"
        kept = data[: max(0, room - len(note))]
        data = kept[: kept.rfind(b"\n") + 1] + note if kept else b""
    with path.open("ab") as file:
        file.write(data)


def command(annotation: Annotation) -> str:
    """One annotation."""
    properties = {
        "title": annotation.title,
        "file": annotation.file,
        "line": "" if annotation.line is None else str(annotation.line),
    }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{annotation.level} {listed}::{_data(annotation.message)}"


def _outputs(notice: RunNotice) -> dict[str, str]:
    gate, reports = notice.summary.gate, notice.folder or notice.run
    return {
        "decision": str(gate.decision or "NONE"),
        "exit-code": str(int(gate.exit_code)),
        "run-id": notice.summary.run_id,
        "run": str(notice.run),
        "report": str(reports / "report.html"),
        "comment": str(reports / "summary.md"),
    }


def _line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
