"""The Ray cluster of the session."""

from collections.abc import Iterator

import pytest

from tests.support.ray_cluster import Cluster, TooBusy, await_cluster, session_folder


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """It runs since the tests were collected (`tests/conftest.py`). One test uses it at a time, also
    where several processes run the tests.
    """
    import fcntl

    folder, _ = session_folder()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            running = await_cluster(folder)
        except TooBusy:
            pytest.skip("this machine is too busy: Ray gives its processes 30 s to start")
        yield running
