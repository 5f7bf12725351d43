"""What all tests share: a home of their own, so that no test sees the user's cache."""

import gc
import itertools
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from llmeval.core import redaction
from tests.support import ray_cluster
from tests.support.forge import Forge
from tests.support.waits import shorten_waits

# No test is about time: how fast the machine is today says nothing about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
shorten_waits()

# Where Python is told to write no bytecode (many containers do), each process that a test starts
# compiles every module again, and each run of the tests rewrites every test module again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell starts what runs in the background with SIGINT ignored, `nohup` with SIGHUP, and every
# process that a test starts would inherit that. Tests about interrupts need the signals.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# The collector would read all tests and modules, which stay, again and again: a fifth of the time
# that it takes to collect the tests.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the others has the folder of the Ray cluster that they share."""
    if not hasattr(config, "workerinput"):
        os.environ[ray_cluster.SESSION] = f"{os.getpid()}:{tempfile.mkdtemp(prefix='ll-tests-')}"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n auto`: half as many again as there are cores, since the tests wait for servers, browsers
    and processes for a third of their time.
    """
    return (os.cpu_count() or 1) * 3 // 2


def pytest_collection_finish(session: pytest.Session) -> None:
    """From here on the collector reads what the tests make, and nothing older. If there are tests
    with Ray, a cluster starts while the other tests run.
    """
    gc.freeze()
    gc.enable()
    first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    with_ray = any(item.get_closest_marker("ray") for item in session.items)
    if first and with_ray and not session.config.option.collectonly:
        ray_cluster.start_keeper(*ray_cluster.session_folder())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """No process of the cluster stays."""
    if hasattr(session.config, "workerinput"):
        return
    folder, _ = ray_cluster.session_folder()
    if remaining := ray_cluster.end_keeper(folder):
        print(f"Processes of the Ray cluster still run: {remaining}")
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
    shutil.rmtree(folder, ignore_errors=True)


_ELSEWHERE = (
    "OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD",
    "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT",
)  # fmt: skip
"""What the machine the tests run on may say, and no test is about."""


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    """The secrets of one test are texts of another one."""
    yield
    redaction.forget()


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for each test. Nothing is created before llmeval writes there: most tests write
    nothing, and `mktemp` lists all folders of the session at each call.
    """
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMEVAL_HOME", str(next(_homes)))
    for name in _ELSEWHERE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository() -> Path:
    """The checkout's root."""
    return Path(__file__).parent.parent


@pytest.fixture
def forge() -> Iterator[Forge]:
    server = Forge()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
