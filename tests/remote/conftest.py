"""A real server of S3's protocol, moto's, on a free port of 127.0.0.1, for `make remote`."""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
# What `make remote` installs, apart from the project's own environment.
LIBRARIES = ROOT / ".venv" / ".remote"
BUCKET = "slipway"


class Bucket:
    """An S3 server with one bucket.

    Attributes:
        url: of the server.
        environment: what a process needs to reach it, by boto3's names alone.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "not-to-be-seen", "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, LIBRARIES / "s3"))),
        }  # fmt: skip
        with (folder / "server.log").open("wb") as log:
            command = [LIBRARIES / "moto/bin/python", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not self._listens(port):
            assert self._process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{BUCKET}", method="PUT"))

    @staticmethod
    def _listens(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def objects(self, part: str = "") -> list[str]:
        """Return the names of the objects that have `part` in them; the markers of folders are none."""
        found, token = [], ""
        while True:
            with urllib.request.urlopen(f"{self.url}/{BUCKET}?list-type=2{token}") as answer:
                page = ElementTree.fromstring(answer.read())
            space = page.tag.partition("}")[0] + "}"
            found += [str(key.text) for key in page.iter(f"{space}Key")]
            following = page.find(f"{space}NextContinuationToken")
            if following is None:
                return [key for key in found if part in key and not key.endswith("/")]
            token = f"&continuation-token={urllib.request.quote(str(following.text))}"  # type: ignore[attr-defined]

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(timeout=60)


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A running server with an empty bucket."""
    assert (LIBRARIES / "s3" / "tensorflow_io").exists(), (
        "no tensorflow-io in .venv/.remote; `make remote` puts it there"
    )
    running = Bucket(tmp_path_factory.mktemp("s3"))
    try:
        yield running
    finally:
        running.stop()
