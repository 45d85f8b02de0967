"""Real servers of PostgreSQL and MariaDB on free ports of 127.0.0.1, for `make databases`."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Neither server starts as root; Debian's packages make an account for each.
AS_ROOT = os.geteuid() == 0
SBIN = os.pathsep.join((os.environ["PATH"], "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))))


def program(name: str) -> str:
    """Return the path of a database's program."""
    found = shutil.which(name, path=SBIN)
    assert found, f"no {name} on this machine; apt-get install mariadb-server postgresql"
    return found


class Server:
    """A database server whose data outlive a stop.

    Attributes:
        url: of an empty database, as `metadata.url` takes it.
        password: of its user, which nothing may print or keep.
    """

    password = "not-to-be-seen"

    def __init__(self, folder: Path, scheme: str, account: str) -> None:
        self.folder, self._account = folder, account
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"{scheme}://slipway@127.0.0.1:{self.port}/lineage"
        self.command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        if AS_ROOT:
            shutil.chown(folder, account)

    def call(self, *command: str) -> None:
        """Run one of the database's programs as its account."""
        user = self._account if AS_ROOT else None
        done = subprocess.run(command, user=user, capture_output=True, text=True, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, and wait until it listens."""
        user = self._account if AS_ROOT else None
        with (self.folder.parent / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self.command, user=user, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, (self.folder.parent / "server.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def stop(self) -> None:
        """Kill it, as a machine that goes away does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if "postgres" in self.command[0] else signal.SIGKILL)
            self._process.wait(timeout=60)
            self._process = None


def postgresql(folder: Path) -> Server:
    """Return a running PostgreSQL."""
    server = Server(folder, "postgresql", "postgres")
    secret = folder / "secret"
    secret.write_text(server.password)
    login = ("-A", "scram-sha-256", "-U", "slipway", "--pwfile", str(secret))
    if AS_ROOT:
        shutil.chown(secret, "postgres")
    server.call(program("initdb"), "-D", str(folder / "data"), "--no-sync", *login)
    places = ("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}")
    server.command = [program("postgres"), "-D", str(folder / "data"), "-p", str(server.port), *places]
    server.start()
    address = f"postgresql://slipway:{server.password}@127.0.0.1:{server.port}/postgres"
    server.call(program("psql"), address, "-c", "create database lineage")
    return server


def mariadb(folder: Path) -> Server:
    """Return a running MariaDB."""
    server = Server(folder, "mysql", "mysql")
    data = f"--datadir={folder / 'data'}"
    server.call(program("mariadb-install-db"), "--no-defaults", data, "--auth-root-authentication-method=normal")
    places = (f"--port={server.port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}")
    server.command = [program("mariadbd"), "--no-defaults", data, *places]
    server.start()
    orders = f"create database lineage; grant all on lineage.* to slipway@localhost identified by '{server.password}'"
    server.call(program("mariadb"), "--no-defaults", f"--socket={folder / 'socket'}", "--user=root", "-e", orders)
    return server


@pytest.fixture(params=[postgresql, mariadb], ids=["PostgreSQL", "MariaDB"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A running database server with an empty database."""
    # Not in pytest's own folder: the accounts of the servers must be able to go there.
    with tempfile.TemporaryDirectory(prefix="slipway-") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "server"
        folder.mkdir()
        running = request.param(folder)
        try:
            yield running
        finally:
            running.stop()
