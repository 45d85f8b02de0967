"""`slipway serve`: a pushed model behind the best engine there is, until it is told to stop."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pipeline import asking, ports, prediction, pushed, stops
from pipeline.errors import DONE, SetupError, SlipwayError
from pipeline.home import Home
from serving import client, deployment_files, launcher

LOG = "serve.log"
# So many characters of a question fit on a screen and into one argument of a command.
LONGEST_PASTED = 4000


@dataclass(frozen=True)
class ServeOptions:
    """What the command line says.

    Attributes:
        engine: one of `launcher.ENGINES`.
        port: of REST; 0 takes a free one; None takes 8501.
        grpc_port: likewise; None takes 8500.
        host: the address to listen on.
        try_it: ask one row, print the answer and stop. A port that was not named may then be another one.
    """

    engine: str = "auto"
    port: int | None = None
    grpc_port: int | None = None
    host: str = "127.0.0.1"
    try_it: bool = False


def run(home: Home, options: ServeOptions) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code.

    Raises:
        SetupError: no pushed model, no such engine, or a port is taken.
        SlipwayError: the engine ended by itself.
    """
    pushed.folder(home, "serve")
    try:
        engine = launcher.find_engine(options.engine, announce=lambda text: click.echo(f"{home.name}: {text}"))
    except ValueError as error:
        raise SetupError(f"slipway serve: {error}") from error
    # The real server listens on all addresses, whatever it is told.
    host = "0.0.0.0" if engine.name == "tensorflow_model_server" else options.host  # noqa: S104
    rest_port, grpc_port = _ports(options, host)
    click.echo(f"{home.name}: engine {engine.name} ({engine.why})")
    # Whoever serves waits until a broken model is repaired; whoever tries wants to know.
    extra = ("--max_num_load_retries=0",) if options.try_it else ()
    launch = launcher.LaunchOptions(home.serving, home.name, rest_port, grpc_port, host, extra=extra)
    with ExitStack() as stack:
        stack.enter_context(stops.as_interrupts())
        # People look at an engine's own lines while it serves; when it is only tried, they stand in the way.
        log = stack.enter_context(open(home.root / LOG, "ab")) if options.try_it else None
        try:
            with launcher.running(launch, engine, log) as child:
                _serve(home, child, f"http://{_reachable(host)}:{rest_port}", grpc_port, options.try_it)
        except KeyboardInterrupt:
            pass
    click.echo(f"{home.name}: stopped")
    return DONE


def write_files(home: Home, target: Path) -> Iterator[str]:
    """Write the files that put a model into a container and a cluster; yield what was written.

    Raises:
        SetupError: no pushed model, or the folder cannot be written.
    """
    pushed.folder(home, "serve")
    try:
        written = deployment_files.write_files(target, home.serving, home.name)
    except (ValueError, OSError) as error:
        raise SetupError(f"slipway serve: --write-files: {error}") from error
    yield f"{home.name}: wrote {target}"
    for name in sorted({path.relative_to(target).parts[0] for path in written}):
        yield f"  {name}{'/' if (target / name).is_dir() else ''}"


def _serve(home: Home, child: subprocess.Popen[bytes], url: str, grpc_port: int, try_it: bool) -> None:
    """Wait until the model answers, say how to ask it, and stay until the engine ends.

    Raises:
        SlipwayError: the engine ended by itself.
    """
    loaded = _wait_until_loaded(home, child, url, try_it)
    address = f"{url.removeprefix('http://').rpartition(':')[0]}:{grpc_port}"
    click.echo(f"{home.name}: {_in_words(home, loaded)} at {url}/v1/models/{home.name}, gRPC at {address}")
    row = _sample(home, url, max(loaded))
    if row is not None:
        click.echo(_curl(home, url, row))
    if try_it:
        _ask(home, url, row)
        return
    with _announced(home, url):
        click.echo(f"{home.name}: serving; Ctrl-C stops")
        child.wait()
    raise SlipwayError(_ended(home, child, try_it))


def _curl(home: Home, url: str, row: dict[str, Any]) -> str:
    """Return the line that asks for a row; a question too long to paste, a picture, goes into a file."""
    asked = client.question(row)
    if len(asked) <= LONGEST_PASTED:
        return client.curl_line(url, home.name, row)
    path = home.root / "question.json"
    path.write_text(asked, encoding="utf-8")
    return f"curl -d {shlex.quote(f'@{path}')} {url}{client.path(home.name)}:predict"


def _wait_until_loaded(home: Home, child: subprocess.Popen[bytes], url: str, try_it: bool) -> set[int]:
    rest = client.Client(url)
    while child.poll() is None:
        try:
            if loaded := rest.loaded(home.name):
                return loaded
        except (OSError, client.ServerError):
            pass  # the ports open when the models are loaded; a container's before that
        time.sleep(0.05)
    raise SlipwayError(_ended(home, child, try_it))


def _ended(home: Home, child: subprocess.Popen[bytes], try_it: bool) -> str:
    ended = f"{home.name}: the engine ended by itself, got exit code {child.returncode}"
    if not try_it:
        return f"{ended}; its lines above say why"
    said = (home.root / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{ended}: {said[-1] if said else 'no word'}; all of it is in {home.root / LOG}"


def _in_words(home: Home, loaded: set[int]) -> str:
    labels: dict[int, list[str]] = {}
    for label, version in pushed.release(home).labels.items():
        labels.setdefault(version, []).append(label)
    said = [f"{number} ({', '.join(labels[number])})" if number in labels else str(number) for number in sorted(loaded)]
    return f"version{'s' * (len(said) > 1)} {', '.join(said)}"


def _sample(home: Home, url: str, version: int) -> dict[str, Any] | None:
    """Return the fullest sample row, what it lacks taken from others: the server wants all inputs; None of no rows.

    What no row has stays as it is written when it is missing.
    """
    rows = pushed.sample_rows(home.serving / str(version))
    if not rows:
        return None
    given = [{name: value for name, value in row.items() if value is not None} for row in rows]
    filled: dict[str, Any] = {}
    for row in sorted(given, key=len, reverse=True):
        filled = row | filled
    model = asking.over_rest(url, home.name)
    return {name: values[0] for name, values in sorted(prediction.columns(model, {1: filled}, "sample row").items())}


def _ask(home: Home, url: str, row: Any) -> None:
    """Post what the curl line posts, and print the answer.

    Raises:
        SlipwayError: the server refuses.
    """
    if row is None:
        raise SlipwayError(f"{home.name}: nothing to ask, got a model without {pushed.SAMPLE_ROWS}")
    send = client.over_http(url)
    status, answer = send("POST", f"{client.path(home.name)}:predict", client.question(row).encode())
    if status != 200:
        raise SlipwayError(f"{url}: the server refuses, got {status} {answer.decode('utf-8', 'replace')}")
    click.echo(json.dumps(json.loads(answer)))


def _ports(options: ServeOptions, host: str) -> tuple[int, int]:
    """Return the ports of REST and gRPC, both free at this moment.

    Raises:
        SetupError: one of them cannot be listened on.
    """
    with ExitStack() as held:
        return (
            _port(held, host, "--port", options.port, 8501, options.try_it),
            _port(held, host, "--grpc-port", options.grpc_port, 8500, options.try_it),
        )


def _port(held: ExitStack, host: str, option: str, wanted: int | None, default: int, any_will_do: bool) -> int:
    port = default if wanted is None else wanted
    try:
        return ports.hold(held, host, port)
    except OSError as error:
        if wanted is None and any_will_do:
            click.echo(f"port {port} cannot be used ({error.strerror}), taking a free one")
            return _port(held, host, option, 0, default, any_will_do)
        raise ports.refusal(f"slipway serve: {option}", host, port, error) from error


def _reachable(host: str) -> str:
    """Return the address by which this machine asks a server that listens on `host`."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{local}]" if ":" in local else local


@contextmanager
def _announced(home: Home, url: str) -> Iterator[None]:
    """Leave a note where the server is, for promote and rollback."""
    note, text = home.serving / pushed.SERVING_AT, f"{os.getpid()} {url}"
    note.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        if note.exists() and note.read_text(encoding="utf-8") == text:
            note.unlink()
