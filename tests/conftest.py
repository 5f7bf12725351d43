"""What all tests share: a home of their own, so that no test sees the user's cache."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from llmeval.core import redaction
from tests.support.forge import Forge

# No test is about time: how fast the machine is today says nothing about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path_factory.mktemp("home")))
    for name in _ELSEWHERE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository() -> Path:
    """The checkout's root."""
    return Path(__file__).parent.parent


@pytest.fixture
def forge() -> Iterator[Forge]:
    server = Forge()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
