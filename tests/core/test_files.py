"""Files are there whole or not at all."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.api import run
from llmeval.core.errors import StoreError
from llmeval.core.files import write_atomically
from llmeval.runner.options import Options
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, b"one ", (piece for piece in (b"two ", b"three")))
    assert path.read_bytes() == b"one two three"

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_atomically(path, broken())
    assert path.read_bytes() == b"one two three"
    assert os.listdir(path.parent) == ["file"]


def test_what_can_not_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        StoreError, match=r"file/below: File exists: a file of that name is in the way"
    ):
        write_atomically(tmp_path / "file" / "below", b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are a POSIX matter")
@pytest.mark.parametrize(("size", "file"), [(8_000, "report.html"), (200, "summary.json")])
def test_a_report_that_finds_the_disk_full_leaves_the_old_one(
    tmp_path: Path, size: int, file: str
) -> None:
    import resource

    with serve(answer) as endpoint:
        made = run(write_suite(tmp_path, endpoint.url, 5), options=Options(out=tmp_path / "run"))
    before = {path.name: path.read_bytes() for path in made.path.iterdir() if path.is_file()}
    assert json.loads(before["summary.json"])

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    command = [sys.executable, "-m", "llmeval", "report", str(made.path)]
    # the limit would tear what Python compiles for later, too
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=limit, env=environment
    )
    assert done.returncode == 3
    assert f"{file}: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in made.path.iterdir() if path.is_file()} == set(before)
    assert (made.path / file).read_bytes() == before[file]
