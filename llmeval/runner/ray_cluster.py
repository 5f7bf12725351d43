"""Workers on a Ray cluster: the only module that imports Ray.

Whoever reaches a port of a Ray cluster can run code on its machines, so a token is required. A
cluster that a run starts is bound to the loopback interface. Secrets are not sent: a worker has the
environment of its node. (Ray writes the variables of a `runtime_env` into a log file.)
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, TypeVar

from llmeval.core.errors import LlmevalError, StoreError, UsageError, install_hint
from llmeval.runner.batch_executor import WorkerEnded
from llmeval.runner.batches import BatchResult, UnitBatch, WorkerIdentity
from llmeval.runner.options import Options
from llmeval.runner.worker import STORE, BatchWorker, WorkOrder

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle

T = TypeVar("T")
_TOKEN, _TOKEN_FILE, _MODE, _TLS = (
    "RAY_AUTH_TOKEN",
    "RAY_AUTH_TOKEN_PATH",
    "RAY_AUTH_MODE",
    "RAY_USE_TLS",
)
_OWN = {
    _MODE: "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray then uses 127.0.0.1 as the address of this machine, on every platform, and binds to it.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
_OBJECTS_BYTES = 200_000_000
"""Shared memory for messages. By default Ray reserves 30 % of the memory of the machine."""
_CALLS_AT_ONCE = 4
"""Threads of a worker: two batches, an interrupt, and its identity."""
_PROBE = """
import os, sys
from ray._raylet import GcsClient
try:
    GcsClient(address=sys.argv[1]).get_all_node_info(timeout=5)
except BaseException as error:
    print("refused" if "uthent" in repr(error) + str(error) else f"failed: {error}")
else:
    print("open")
sys.stdout.flush()
os._exit(0)
"""


class RayWorkers:
    """The workers of one run. An async context manager: it starts or joins a cluster, and ends its
    own processes.

    Args:
        options: of the run; `workers` and `ray_address`.
        order: what the workers run.
        identity: what they must share with the run.

    Raises:
        UsageError: Ray is not installed, or the cluster is not protected.
        StoreError: the cluster can't be started or reached.
    """

    def __init__(self, options: Options, order: WorkOrder, identity: WorkerIdentity) -> None:
        self.count = options.workers or 1
        self._options, self._order, self._identity = options, order, identity
        self._folder: Path | None = None
        self._actors: list[RayWorker] = []

    async def __aenter__(self) -> "RayWorkers":
        await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._close)

    async def start(self) -> "RayWorker":
        """See `Workers.start`."""
        import ray

        actor = (
            ray.remote(BatchWorker)
            .options(
                num_cpus=0,
                max_restarts=0,  # a restart would do the batch again, and nobody would know
                max_concurrency=_CALLS_AT_ONCE,
                scheduling_strategy="SPREAD",
            )
            .remote(self._order)
        )
        worker = RayWorker(ray, actor)
        self._actors.append(worker)
        theirs: WorkerIdentity = await worker.result(actor.identity.remote())
        if theirs != self._identity:
            raise UsageError(_difference(self._identity, theirs))
        return worker

    def _open(self) -> None:
        ray = _imported(self._options.ray_address)
        if ray.is_initialized():
            raise UsageError("--executor ray: this process uses Ray already; call ray.shutdown()")
        try:
            if self._options.ray_address:
                _refuse_open(self._options.ray_address)
                ray.init(self._options.ray_address, log_to_driver=False, logging_level="error")
            else:
                self._start_own(ray)
        except LlmevalError:
            self._close()
            raise
        except Exception as error:  # Ray raises plain ones, such as when a node starts too slowly
            self._close()
            name = self._options.ray_address or "a cluster on this machine"
            raise StoreError(
                f"--executor ray: {name} can't be used ({_first_line(error)}). A node of the"
                f" cluster must run on this machine, with the same {_TOKEN}"
            ) from None

    def _start_own(self, ray: ModuleType) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ll-ray-"))  # short: it has socket files
        with _store_in_environment(self._options.store):
            ray.init(
                include_dashboard=False,
                log_to_driver=False,  # the output of a worker may contain texts of models
                logging_level="error",
                object_store_memory=_OBJECTS_BYTES,
                _temp_dir=str(self._folder),
            )
        address = ray.util.get_node_ip_address()
        if address not in ("127.0.0.1", "::1"):
            raise RuntimeError(f"Ray does not bind to loopback but to {address}")

    def _close(self) -> None:
        import ray

        for worker in self._actors:
            worker.stop()
        ray.shutdown()  # ends the processes that this process started, and no others
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class RayWorker:
    """See `RunningWorker`: an actor."""

    def __init__(self, ray: ModuleType, actor: "ActorHandle[BatchWorker]") -> None:
        self._ray, self._actor = ray, actor

    async def run(self, batch: UnitBatch) -> BatchResult:
        """See `RunningWorker.run`."""
        return await self.result(self._actor.run.remote(batch))

    def interrupt(self) -> None:
        """See `RunningWorker.interrupt`."""
        self._actor.interrupt.remote()

    def stop(self) -> None:
        """See `RunningWorker.stop`."""
        self._ray.kill(self._actor, no_restart=True)

    async def result(self, reference: "ObjectRef[T]") -> T:
        """What a call of the actor returned.

        Raises:
            WorkerEnded: the actor or its node is gone. Otherwise the error of the call.
        """
        exceptions = self._ray.exceptions
        try:
            value: T = await asyncio.wrap_future(reference.future())
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, LlmevalError):
                raise error.cause from None
            raise StoreError(f"a worker failed: {error.cause!r}") from error
        except exceptions.RayError as error:
            raise WorkerEnded(f"{type(error).__name__}: {_first_line(error)}") from None
        return value


def _imported(cluster: str) -> ModuleType:
    """Ray, after the variables that it reads while it is imported.

    Raises:
        UsageError: it is not installed, or a cluster has no protection.
    """
    protected = os.environ.get(_TLS) == "1" or _has_token()
    if cluster and not protected:
        raise UsageError(
            f"--executor ray://{cluster}: {_TOKEN} is not set. Whoever reaches a Ray cluster"
            f" without a token can run code on it. Start its nodes with {_MODE}=token and {_TOKEN},"
            " and set both here"
        )
    if not cluster:
        os.environ.update(_OWN)
        if not _has_token():
            os.environ[_TOKEN] = secrets.token_hex(32)
    elif _has_token():
        os.environ[_MODE] = "token"
    try:
        import ray
    except ImportError:
        raise UsageError(f"--executor ray needs Ray: {install_hint('ray')}") from None
    module: ModuleType = ray
    return module


def _has_token() -> bool:
    path = os.environ.get(_TOKEN_FILE)
    return bool(os.environ.get(_TOKEN)) or (path is not None and Path(path).is_file())


def _refuse_open(address: str) -> None:
    """Refuse a cluster that answers without a token or a certificate.

    Raises:
        UsageError: it answers.
        StoreError: without TLS, it does not say that a token is missing.
    """
    without = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAY_AUTH_", "RAY_USE_TLS", "RAY_TLS_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, address],
        env={**without, _MODE: "disabled"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.stdout.startswith("open"):
        raise UsageError(
            f"--executor ray://{address}: this cluster answers without a token, so anyone who"
            f" reaches it can run code on it. Start its nodes with {_MODE}=token and {_TOKEN}"
        )
    if not done.stdout.startswith("refused") and os.environ.get(_TLS) != "1":
        reason = (done.stdout.strip().splitlines() or ["no answer"])[0]
        raise StoreError(
            f"--executor ray://{address}: the cluster can't be reached, so it is unknown whether it"
            f" requires a token ({reason})"
        )


@contextmanager
def _store_in_environment(store: str | None) -> Iterator[None]:
    """The address of the store in the environment, which the workers inherit."""
    before = os.environ.get(STORE)
    if store is not None:
        os.environ[STORE] = store
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(STORE, None)
        else:
            os.environ[STORE] = before


def _difference(ours: WorkerIdentity, theirs: WorkerIdentity) -> str:
    """Why a worker is refused."""
    if ours.llmeval != theirs.llmeval:
        what = f"llmeval {theirs.llmeval}, and this process has {ours.llmeval}"
    elif ours.store != theirs.store:
        what = (
            f"the store {theirs.store or '(none)'}, and this process has {ours.store or '(none)'}"
        )
    elif ours.baseline != theirs.baseline:
        what = "another baseline file"
    else:
        names = [
            name
            for name in ours.digests.__struct_fields__
            if getattr(ours.digests, name) != getattr(theirs.digests, name)
        ]
        what = f"another suite; these differ: {', '.join(names)}"
    return (
        f"--executor ray: a worker has {what}. All machines need the same files at the same paths,"
        " and the same packages"
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
