"""Past runs as data frames."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmeval.core.errors import UsageError, install_hint
from llmeval.history.opening import OpenHistory, open_history
from llmeval.history.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from llmeval.history.rows import RunRow


class RunHistory:
    """The past runs below a folder, or of a team, as data frames. Each call reads what changed.

    Args:
        reports: the folder of the runs.
        url: of a team's history, `postgresql://...`, or a file; None: `LLMEVAL_HISTORY`, or the
            file in `LLMEVAL_HOME`.
        suite: only this suite's runs.
        branch: only runs of this branch.
        last: the newest so many.

    Raises:
        UsageError: pandas is not installed (extra `data`).
        StoreError: the server can't be used.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        reports: str | os.PathLike[str] = "reports",
        suite: str | None = None,
        branch: str | None = None,
        last: int | None = None,
    ) -> None:
        self._url, self._reports = url, Path(reports)
        self._suite, self._branch, self._last = suite, branch, last

    def runs(self) -> "pd.DataFrame":
        """One row a run, the newest first: the columns of `RunRow`, and `tag:NAME` for each tag."""
        with self._open() as history:
            rows = self._rows(history)
            tags = history.store.tags([row.run_id for row in rows])
        return _frame(
            [
                {
                    **msgspec.to_builtins(row),
                    **{f"tag:{k}": v for k, v in tags.get(row.run_id, {}).items()},
                }
                for row in rows
            ],
            rows[0].__struct_fields__ if rows else (),
        ).drop(columns=["root", "stamp"], errors="ignore")

    def metrics(self) -> "pd.DataFrame":
        """One row a (run, metric, slice): n, mean, pass_rate, low, high, and when the run began."""
        with self._open() as history:
            started = {row.run_id: row.started for row in self._rows(history)}
            measured = history.store.metrics(list(started))
        rows = [
            {"started": started[each.run_id], **msgspec.to_builtins(each)}
            for each in sorted(measured, key=lambda row: (row.run_id, row.metric, row.slice))
        ]
        return _frame(rows, ("started", "run_id", "metric", "slice"))

    def cases(self, metric: str) -> "pd.DataFrame":
        """One row a (run, case, repeat) of a metric: verdict, value, and the digest of the case.

        Args:
            metric: its name.
        """
        with self._open() as history:
            ids = [row.run_id for row in self._rows(history)]
            vectors = history.store.vectors(ids, metric)
            lists = history.store.case_lists({each.case_list for each in vectors})
        rows = []
        for each in vectors:
            cases = lists[each.case_list]
            for at, code in enumerate(each.verdicts):
                place, repeat = divmod(at, each.repeats)
                verdict = Verdict(code)
                value = each.values[at] if each.values else float(code)
                rows.append(
                    {
                        "run_id": each.run_id,
                        "case_id": cases.ids[place],
                        "repeat": repeat,
                        "verdict": verdict.name.lower(),
                        "value": value if verdict.graded else None,
                        "case_digest": cases.digests[place],
                    }
                )
        return _frame(rows, ("run_id", "case_id", "repeat", "verdict", "value", "case_digest"))

    def _open(self) -> OpenHistory:
        return open_history(self._reports, self._url)

    def _rows(self, history: OpenHistory) -> "list[RunRow]":
        query = history.query.where("suite", self._suite).where("branch", self._branch)
        return history.store.runs(query._replace(limit=self._last))


def _frame(rows: list[dict[str, object]], columns: tuple[str, ...]) -> "pd.DataFrame":
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(
            f"data frames need the package {error.name}: {install_hint('data')}"
        ) from None
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(columns))
