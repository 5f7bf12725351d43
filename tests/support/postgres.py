"""A PostgreSQL server of the tests' own: Debian's package `postgresql`, a data directory in a
temporary folder, on loopback. `.ci/run` installs the package.

A fixture of a test module:

    @pytest.fixture(scope="module")
    def server() -> Iterator[PostgresServer]:
        yield from running_server()

It skips with a reason where there is no server, or no psycopg. `server.database()` makes an empty
database and gives its address.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

_HOMES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
BIN = next((folder for folder in _HOMES if (folder / "initdb").exists()), None)
"""Where the programs of the newest installed version are; None without one."""
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40")
"""Faster, and nothing is kept after the tests."""


class PostgresServer(NamedTuple):
    """A running server."""

    folder: Path
    """Its socket is here."""
    port: int
    """On 127.0.0.1."""
    user: str
    """Its superuser."""
    password: str
    """Of that user."""

    def address(self, database: str = "postgres") -> str:
        """The address of a database, over TCP on loopback."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """The address of a new, empty database."""
        import psycopg

        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.address(name)


def running_server() -> Iterator[PostgresServer]:
    """A server until the caller is done with it; skips the test where that is not possible."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    if BIN is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="llmeval-pg-") as name:
        folder = Path(name)
        account = _account(folder)
        secret = secrets.token_hex(12)
        server = PostgresServer(folder, _free_port(), "tester", secret)
        (folder / "password").write_text(server.password)
        _give(folder, account)
        data = folder / "data"
        _run(account, "initdb", "-D", data, "-U", server.user, "-A", "scram-sha-256", "--no-sync",
             "--pwfile", folder / "password")  # fmt: skip
        options = " ".join(
            ["-c listen_addresses=127.0.0.1", f"-p {server.port}", f"-k {folder}"]
            + [f"-c {setting}" for setting in _SETTINGS]
        )
        _run(account, "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield server
        finally:
            _run(account, "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _account(folder: Path) -> "pwd.struct_passwd | None":
    """The account that runs the server: it refuses to run as root. None: the current one."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("the server does not run as root, and there is no account `postgres`")


def _give(folder: Path, account: "pwd.struct_passwd | None") -> None:
    if account is not None:
        for path in (folder, folder / "password"):
            shutil.chown(path, account.pw_uid, account.pw_gid)


def _run(account: "pwd.struct_passwd | None", program: str, *arguments: object) -> None:
    assert BIN is not None
    who = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid}
    subprocess.run(
        [str(BIN / program), *map(str, arguments)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **who,  # type: ignore[arg-type]
    )


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
