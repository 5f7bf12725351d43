"""Scripts of CI servers call `llmeval` many times: a program that starts at once is on their path."""

import os
from collections.abc import Iterator

import pytest

from tests.support.program import program


@pytest.fixture(scope="package", autouse=True)
def _program() -> Iterator[None]:
    with program() as path, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
        yield
