"""One run as Python sees it: its summary and decision, and its records as data frames."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmeval.core.errors import StoreError, UsageError, install_hint
from llmeval.core.manifest import Manifest
from llmeval.core.records import Answer
from llmeval.core.results import Decision, Summary
from llmeval.store.directory import RunDir

if TYPE_CHECKING:
    import pandas as pd

    from llmeval.report.failing_cases import FailingCase
    from llmeval.report.run_view import RunView

PathLike = str | os.PathLike[str]


class Run:
    """One run, read from its directory; it never changes. Frames are made when asked for.

    Args:
        path: the directory.
        interrupted, reason: how this process's part ended.
        warnings: notes to show with the decision.
        view: what one pass over the records gave, where there was one.
    """

    directory: RunDir
    interrupted: bool
    reason: str
    warnings: tuple[str, ...]

    def __init__(
        self,
        path: PathLike,
        *,
        interrupted: bool = False,
        reason: str = "",
        warnings: tuple[str, ...] = (),
        view: "RunView | None" = None,
    ) -> None:
        directory = RunDir(path)
        if not directory.exists():
            raise StoreError(f"{path} is not a run directory: it has no manifest.json")
        vars(self).update(
            directory=directory,
            interrupted=interrupted,
            reason=reason,
            warnings=warnings,
            _view=view,
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Run does not change: {name} can't be set")

    def decided(self, view: "RunView", warnings: tuple[str, ...] = ()) -> "Run":
        """The same run with the results of a pass over its records, and notes to show with them."""
        return Run(
            self.path,
            interrupted=self.interrupted,
            reason=self.reason,
            warnings=warnings,
            view=view,
        )

    def warned(self, warning: str) -> "Run":
        """The same run with one more note to show."""
        return Run(
            self.path,
            interrupted=self.interrupted,
            reason=self.reason,
            warnings=(*self.warnings, warning),
            view=self.view,
        )

    @property
    def view(self) -> "RunView | None":
        """What one pass over the records gave; None where there was none."""
        view: RunView | None = vars(self)["_view"]
        return view

    @property
    def report(self) -> Path | None:
        """The report that was written with this decision; None where none was."""
        return None if self.view is None else self.view.report

    @property
    def troubles(self) -> "list[FailingCase]":
        """The cases that did not pass, the worst first; empty where no pass looked for them."""
        return [] if self.view is None else self.view.failing

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.directory.path

    @cached_property
    def manifest(self) -> Manifest:
        """Who, what, with what."""
        return self.directory.manifest() if self.view is None else self.view.manifest

    @cached_property
    def summary(self) -> Summary:
        """What the run came to, recomputed from its records when it never ended, or went on and was
        killed.
        """
        from llmeval.gate.summary import summarise

        if self.view is not None:
            return self.view.summary
        ended = self.directory.has_summary() and self.manifest.status != "running"
        return self.directory.summary() if ended else summarise(self.directory)

    @property
    def decision(self) -> Decision | None:
        """PASS, FAIL, INCONCLUSIVE, INVALID, or None with `gate: none`."""
        return self.summary.gate.decision

    @cached_property
    def answers(self) -> "pd.DataFrame":
        """One row a (case_id, repeat): output, finish_reason, model, latency_ms, tokens, cached,
        answered_at, reused_from, cost_usd, error.
        """
        return _frame(_answer_row(answer) for answer in self.directory.answers())

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """One row a (case_id, repeat, metric): status, value, passed, source, reason,
        confidence.
        """
        columns = (
            "case_id",
            "repeat",
            "metric",
            "status",
            "value",
            "passed",
            "source",
            "reason",
            "unscored",
            "confidence",
        )
        return _frame(
            {
                name: str(score.status) if name == "status" else getattr(score, name)
                for name in columns
            }
            for _, block in self.directory.scores()
            for score in block
        )

    @cached_property
    def cases(self) -> "pd.DataFrame":
        """One row a case: id, its fields, references, and a column `tag:<name>` for each tag."""
        return _frame(
            {
                "case_id": case.id,
                **case.fields,
                "references": list(case.references),
                **{f"tag:{name}": value for name, value in case.tags.items()},
            }
            for case in self.directory.cases()
        )

    @cached_property
    def metrics(self) -> "pd.DataFrame":
        """One row a metric and slice: n, pass_rate, low, high, mean, unscored, errors."""
        import msgspec

        return _frame(msgspec.to_builtins(metric) for metric in self.summary.metrics)

    def __repr__(self) -> str:
        from llmeval.report.safe_text import verdict_word

        return f"<llmeval run {self.path}: {verdict_word(self.summary, self.manifest)}>"

    def _repr_html_(self) -> str:
        """The run as a card in a notebook."""
        from llmeval.report.html.card import run_card

        return run_card(self.summary, self.manifest, self.troubles, str(self.path))


def load_run(path: PathLike) -> Run:
    """A run from its directory.

    Raises:
        StoreError: it is not a run directory.
    """
    return Run(path)


def _answer_row(answer: Answer) -> dict[str, object]:
    usage = answer.usage
    return {
        "case_id": answer.case_id,
        "repeat": answer.repeat,
        "output": answer.output,
        "finish_reason": answer.finish_reason,
        "model": answer.model,
        "latency_ms": answer.latency_ms,
        "input_tokens": None if usage is None else usage.input_tokens,
        "output_tokens": None if usage is None else usage.output_tokens,
        "cached": answer.cached,
        "attempts": answer.attempts,
        "answered_at": answer.answered_at,
        "reused_from": answer.reused_from,
        "cost_usd": answer.cost_usd,
        "error_kind": None if answer.error is None else answer.error.kind,
        "error": None if answer.error is None else answer.error.message,
    }


def _frame(rows: Any) -> "pd.DataFrame":
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(
            f"data frames need the package {error.name}: {install_hint('data')}"
        ) from None
    return pd.DataFrame(list(rows))
