"""A PostgreSQL server for the tests: Debian's, on loopback, in a folder that is gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from consortium_mcp.adapters.postgres.migrations import bring_up_to_date

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "consortium"
PASSWORD = "s3cret"  # noqa: S105 (made up)
_DEBIAN = Path("/usr/lib/postgresql")
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 (a new folder in it)
"""Linux's folder in memory: databases are made there twenty times as fast as on a busy disk."""
_TEMPLATE = "journal_template"
# Nothing needs to outlive the machine, and a test must not wait for a disk.
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "autovacuum": "off",
}


class NoServer(Exception):
    """No program of PostgreSQL's server was found."""


def programs() -> Path:
    """The folder that has `initdb` and `postgres`.

    Raises:
        NoServer: there is none.
    """
    found = [path.parent for path in _DEBIAN.glob("*/bin/initdb")]
    if here := shutil.which("initdb"):
        found.append(Path(here).resolve().parent)
    if not found:
        raise NoServer("there is no PostgreSQL server here: apt-get install postgresql")
    return max(found)


class Server:
    """A running server."""

    def __init__(self, port: int, folder: Path | None = None) -> None:
        self.port = port
        self._folder = folder
        self._numbers = count()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._folder is not None
        options = [word for item in _OPTIONS.items() for word in ("-c", "=".join(item))]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    programs() / "postgres",
                    "-D",
                    self._folder / "data",
                    "-p",
                    str(self.port),
                    *options,
                ],
                stdout=log,
                stderr=log,
                user=_user(),
            )
        _wait_until_ready(self, self.process, self._folder / "log")

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it; at once is as `pg_ctl stop -m immediate` does, as if the machine had failed."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGQUIT if at_once else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str) -> None:
        """Run SQL outside of any transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql)

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        """While it lasts, no connection to this database is left, and none is made."""
        name = url.rpartition("/")[2]
        self.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 (ours)
        )
        try:
            yield
        finally:
            self.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def make_template(self) -> None:
        """Make an empty journal, which those of the tests are copied from."""
        self.execute(f"CREATE DATABASE {_TEMPLATE}")
        with psycopg.connect(self.url(_TEMPLATE), autocommit=True) as connection:
            bring_up_to_date(connection, _TEMPLATE)

    @contextmanager
    def database(self, template: str = _TEMPLATE) -> Iterator[str]:
        """The address of a new database."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_server(port: int | None = None) -> Iterator[Server]:
    """A server of its own while the context lasts.

    Raises:
        NoServer: its programs are not installed.
    """
    port = port or free_port()
    with _folder() as folder:
        server = Server(port, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _user() -> str | None:
    """Whom the server runs as: it refuses to run as root."""
    if sys.platform == "win32":
        return None
    return "nobody" if os.geteuid() == 0 else None


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder of a new server, which its user can reach."""
    where = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="consortium-postgres-", dir=where))
    try:
        (folder / "password").write_text(PASSWORD)
        if user := _user():
            for each in (folder, folder / "password"):
                shutil.chown(each, user)
        subprocess.run(
            [
                programs() / "initdb", "--no-sync", "--encoding=UTF8", "--locale=C",
                "--auth=scram-sha-256", f"--username={USER}", f"--pwfile={folder / 'password'}",
                "-D", folder / "data",
            ],
            user=_user(), check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        else:
            return
