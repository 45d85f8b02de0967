"""`slipway-model-server`: the embedded server under the flags of tensorflow_model_server."""

import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any

from serving.errors import ServingError
from serving.flags import Values, describe, parse

log = logging.getLogger("slipway-model-server")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code."""
    values, unknown = parse(sys.argv[1:] if arguments is None else arguments)
    if values.help:
        return _print(describe())
    if values.version:
        return _print_version()
    for argument in unknown:
        print(f"unknown argument: {argument}", file=sys.stderr)
    if unknown:
        print(describe(), file=sys.stderr)
    _quieten()
    _stay_small()
    level = logging.WARNING if values.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname).1s %(message)s", stream=sys.stderr)
    try:
        return _serve(values)
    except (ServingError, OSError) as error:
        text = error.message if isinstance(error, ServingError) else error
        print(f"Failed to start server. Error: {text}", file=sys.stderr)
        return 1


def _quieten() -> None:
    """TensorFlow reads these when it is imported, which comes later; what goes wrong is raised, and logged here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning)


def _stay_small() -> None:
    """Keep out what TensorFlow's Keras would use for training: 100 MiB and a third of the start-up time.

    None in sys.modules makes an import raise ImportError, which Keras is ready for: all of these are optional to it.
    """
    for name in ("IPython", "pandas", "sklearn"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _serve(values: Values) -> int:
    from serving.flag_options import to_options
    from serving.server import ModelServer, run_loop

    server = ModelServer(to_options(values))

    def on_ready() -> None:
        for path, port in ((values.rest_port_file, server.rest_port), (values.port_file, server.grpc_port)):
            if path:
                _write_whole(path, str(port))
        if server.rest_port:
            log.info("Exporting HTTP/REST API at: http://%s:%d", values.host, server.rest_port)
        if server.grpc_port:
            log.info("Running gRPC ModelServer at %s:%d", values.host, server.grpc_port)

    async def serve() -> None:
        import asyncio

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, _stop, server)
        await server.run(on_ready)

    run_loop(serve())
    return 0


def _stop(server: Any) -> None:
    log.info("stopping: requests under way are finished first")
    server.stop()


def _write_whole(path: str, text: str) -> None:
    """Write a file that a reader never sees half written."""
    temporary = f"{path}.{os.getpid()}.{time.monotonic_ns()}"
    with open(temporary, "w") as file:
        file.write(text)
    os.replace(temporary, path)


def _print_version() -> int:
    from importlib.metadata import PackageNotFoundError, version

    lines = []
    for name in ("slipway", "tensorflow"):
        try:
            lines.append(f"{name}: {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name}: not installed as a package")
    return _print("\n".join(lines))


def _print(text: str) -> int:
    """Print to a reader that may leave early, as `head` does; returns the exit code."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The interpreter writes what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
