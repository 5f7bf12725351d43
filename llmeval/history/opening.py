"""Opens the history that a command asks: the file of this user, or a server of the team."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.core.resources import home
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.indexing import IndexReport, OnProgress, absolute, index_run, update
from llmeval.history.run_verdicts import RunVerdicts
from llmeval.history.sqlite import open_sqlite, refuse_unwritable_name

FILE = "history.sqlite3"
VARIABLE = "LLMEVAL_HISTORY"
"""The environment variable with the address of a team's history."""
Warn = Callable[[str], None]


@dataclass
class OpenHistory:
    """The history, up to date with the directories. A context manager."""

    store: ExperimentStore
    root: Path
    """The folder of the runs, absolute."""
    report: IndexReport = field(default_factory=lambda: IndexReport(0))
    """What the update found."""

    @property
    def query(self) -> RunQuery:
        """All runs that a command is about: those below the folder, or those of the team."""
        return RunQuery(root=None if self.store.shared else str(self.root))

    def __enter__(self) -> "OpenHistory":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()


def address(url: str | None = None) -> str:
    """Where the history is: as named, else `LLMEVAL_HISTORY`, else a file in `LLMEVAL_HOME`."""
    return url or os.environ.get(VARIABLE) or str(home() / FILE)


def open_store(root: Path, url: str | None = None) -> ExperimentStore:
    """The database of the history.

    Args:
        root: the folder of the runs, absolute. A server is about all runs of the team.
        url: `postgresql://...`, or the path of a file of SQLite; None: as `address`.

    Raises:
        UsageError: an unknown kind of database, or an extra is missing.
        StoreError: it can't be opened.
    """
    named = address(url)
    scheme, colon, rest = named.partition("://")
    if not colon:
        return open_sqlite(Path(named), root)
    if scheme == "sqlite":
        return open_sqlite(Path(rest), root)
    from llmeval.history.postgres import SCHEMES, open_postgres, without_password

    if scheme not in SCHEMES:
        raise UsageError(
            f"{without_password(named)}: the history is a file of SQLite or"
            " postgresql://USER@HOST/DATABASE"
        )
    return open_postgres(named)


def is_server(url: str | None = None) -> bool:
    """Whether the history is on a server."""
    scheme, colon, _ = address(url).partition("://")
    return bool(colon) and scheme != "sqlite"


def open_history(
    reports: Path,
    url: str | None = None,
    warn: Warn = lambda line: None,
    progress: OnProgress = lambda done, of: None,
) -> OpenHistory:
    """The history, after it was compared with the run directories.

    A file that can't be used is replaced by a history in memory, read from the directories: a
    command may be slower then, and its answer is the same.

    Args:
        reports: the folder of the runs.
        url: as for `open_store`.
        warn: gets a line where the file can't be used.
        progress: follows a long update.

    Raises:
        UsageError, StoreError: the server can't be used.
    """
    root = reports.resolve()
    if not is_server(url):
        refuse_unwritable_name(root)  # no history can hold it, also not one in memory
    try:
        store = open_store(root, url)
        return OpenHistory(store, root, update(store, root, progress))
    except StoreError as error:
        if is_server(url):
            raise
        warn(f"{error}. The run directories are read instead")
    store = open_sqlite(None, root)
    return OpenHistory(store, root, update(store, root, progress))


def index_finished(path: Path, verdicts: RunVerdicts | None = None) -> str:
    """Index a run that ended, or whose labels changed. Gives a line for people where that failed,
    else an empty text. Nothing is raised: the history never changes the end of a run. `verdicts`:
    as for `index_run`.
    """
    try:
        store = open_store(absolute(path).parent.parent)
    except Exception as error:
        return _not_indexed(error)
    try:
        refused = index_run(store, path, verdicts)
    except Exception as error:
        return _not_indexed(error)
    finally:
        store.close()
    return _not_indexed(StoreError(refused[0].reason)) if refused else ""


def _not_indexed(error: Exception) -> str:
    text = str(error) if isinstance(error, LlmevalError) else f"{type(error).__name__}: {error}"
    return f"the history does not have this run yet ({text}); `llmeval history index` adds it"
