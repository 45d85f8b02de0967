"""The embedded model server: everything put together, started, and stopped without losing a request."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from serving import grpc_server, model_config
from serving.batching import Batcher, Finished
from serving.batching_options import BatchingOptions
from serving.catalog import Catalog
from serving.errors import ServingError, invalid
from serving.grpc_admin import ModelService
from serving.grpc_predict import PredictionService
from serving.grpc_server import GrpcOptions
from serving.http_server import Connection, HttpOptions, HttpServer
from serving.loading import LoadOptions, load
from serving.metrics import DEFAULT_PATH, Metrics
from serving.request_log import RequestLog
from serving.rest_app import RestApp, size_of
from serving.versions import LifePolicy, Versions

log = logging.getLogger(__name__)
_LARGE_BODY = 2**18  # bytes; a longer body is read on a thread, so that it holds up nobody else
_LARGE_ANSWER = 20_000  # elements; likewise for writing


@dataclass
class ServerOptions:
    """What a server is told; see cli.py for the flags these come from.

    Attributes:
        models: a ModelServerConfig proto; None when `config_file` is given.
        config_file: text ModelServerConfig, read again every `config_poll_s` seconds (0: once).
        host: address both ports listen on.
        rest_port: None for no REST; 0 takes a free port.
        grpc: where gRPC listens; an empty address and path for none.
        metrics_path: where the metrics are; None for nowhere.
        max_rows: rows in one REST request; 0 for no limit.
        drain_s: how long a stop waits for requests under way.
    """

    models: Any = None
    config_file: str = ""
    config_poll_s: float = 0.0
    host: str = "127.0.0.1"
    rest_port: int | None = 8501
    rest_threads: int = field(default_factory=lambda: 4 * (os.cpu_count() or 1))
    grpc: GrpcOptions = field(default_factory=GrpcOptions)
    http: HttpOptions = field(default_factory=HttpOptions)
    load: LoadOptions = field(default_factory=LoadOptions)
    life: LifePolicy = field(default_factory=LifePolicy)
    batching: BatchingOptions = field(default_factory=BatchingOptions)
    metrics_path: str | None = DEFAULT_PATH
    early_labels: bool = False
    check_method_name: bool = False
    as_content: bool = False
    max_rows: int = 0
    drain_s: float = 30.0


class ModelServer:
    """One server; `run` it in an event loop, or use `running` for one on a thread."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.metrics = Metrics()
        loader = partial(load, options=options.load, metrics=self.metrics)
        self.versions = Versions(loader, options.life)
        self.catalog = Catalog(self.versions, early_labels=options.early_labels)
        self.batcher = Batcher(options.batching, self._deliver, options.rest_threads, self._soon)
        self.request_log = RequestLog(self.catalog, self.metrics)
        self.rest_port = self.grpc_port = 0
        self._rest = RestApp(
            self.catalog, self.batcher, self.metrics, self.request_log,
            check_method_name=options.check_method_name, max_rows=options.max_rows,
        )  # fmt: skip
        self._readers = ThreadPoolExecutor(options.rest_threads, "read")
        self._http = HttpServer(self._handle, options.http)
        self._stop = asyncio.Event()
        self._listener: Any = None
        self._grpc: Any = None

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Load the models, open the ports, and serve until `stop`.

        Raises:
            ServingError: the config is wrong or a model did not load.
            OSError: a port is taken.
        """
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        try:
            await self._load_models()
            if self._stop.is_set():
                return
            await self._open_ports()
            on_ready()
            await self._serve()
        finally:
            await self._close()

    def stop(self) -> None:
        """End `run`; from any thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self.versions.give_up()

    async def _load_models(self) -> None:
        options = self.options
        config = model_config.read(options.config_file) if options.config_file else options.models
        self.catalog.reload(config)
        self.versions.start()
        names = {model.name for model in config.model_config_list.config}
        await self._loop.run_in_executor(None, self.catalog.wait_for, names, "servable")

    async def _open_ports(self) -> None:
        options = self.options
        if options.rest_port is not None:
            if options.metrics_path:
                options.http.pages[options.metrics_path] = lambda: ("text/plain", self.metrics.text().encode())
            self._listener = await self._loop.create_server(
                lambda: Connection(self._http), options.host, options.rest_port, backlog=1024
            )
            self.rest_port = self._listener.sockets[0].getsockname()[1]
        if options.grpc.address or options.grpc.socket_path:
            prediction = PredictionService(
                self.catalog, self.batcher, self.metrics, self.request_log,
                check_method_name=options.check_method_name, as_content=options.as_content,
            )  # fmt: skip
            admin = ModelService(self.catalog, self.metrics)
            self._grpc, self.grpc_port = await grpc_server.start(prediction, admin, options.grpc)

    async def _serve(self) -> None:
        config_task = self._loop.create_task(self._follow_config())
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 5)
            self._http.close_idle()
        config_task.cancel()

    async def _follow_config(self) -> None:
        """Apply the config file again every period, whether or not it changed; what is wrong with it is logged."""
        options = self.options
        while options.config_file and options.config_poll_s > 0:
            await asyncio.sleep(options.config_poll_s)
            try:
                self.catalog.reload(model_config.read(options.config_file))
            except ServingError as error:
                log.error("%s: not applied: %s", options.config_file, error.message)

    async def _close(self) -> None:
        """Listen no more, let requests under way finish, then free everything."""
        grpc_stopped = None
        if self._listener is not None:
            self._listener.close()
        if self._grpc is not None:
            grpc_stopped = self._loop.create_task(self._grpc.stop(self.options.drain_s))
        self._http.draining = True
        deadline = self._loop.time() + self.options.drain_s
        while self._loop.time() < deadline:
            self._http.close_idle()
            if not self._http.waiting and not self._http.connections:
                break
            await asyncio.sleep(0.02)
        if grpc_stopped is not None:
            await grpc_stopped
        await self._loop.run_in_executor(None, self._free)

    def _free(self) -> None:
        self._readers.shutdown(wait=True)
        self.batcher.stop()
        self.request_log.close()
        self.versions.stop()

    def _handle(self, method: str, target: str, body: bytes, respond: Callable[[int, bytes], None]) -> None:
        def answer(status: int, text: bytes) -> None:
            if threading.get_ident() == self._thread:
                respond(status, text)
            else:
                self._loop.call_soon_threadsafe(respond, status, text)

        if len(body) > _LARGE_BODY:
            self._readers.submit(self._rest.handle, method, target, body, answer)
        else:
            self._rest.handle(method, target, body, answer)

    def _soon(self, call: Callable[[], None]) -> None:
        """After the sockets that are readable now have been read, so that their requests make one batch."""
        if threading.get_ident() == self._thread:
            self._loop.call_soon(call)
        else:
            call()

    def _deliver(self, finished: list[Finished]) -> None:
        """Write small answers in the event loop, all of a batch at one go, and large ones right here."""
        large = any(outputs is not None and size_of(outputs) > _LARGE_ANSWER for _, outputs, _ in finished)
        if large:
            _tell(finished)
        else:
            self._loop.call_soon_threadsafe(_tell, finished)


def _tell(finished: list[Finished]) -> None:
    for job, outputs, error in finished:
        try:
            job.done(outputs, error)
        except Exception:
            log.exception("an answer could not be delivered")


@contextlib.contextmanager
def running(options: ServerOptions, timeout_s: float = 120.0) -> Any:
    """A server on a thread of this process, ready when the block is entered and drained when it is left.

    Raises:
        ServingError: it does not become ready.
    """
    server = ModelServer(options)
    ready = threading.Event()
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            run_loop(server.run(ready.set))
        except BaseException as error:  # noqa: BLE001  (raised again below, on the thread that waits)
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=serve, name="model-server", daemon=True)
    thread.start()
    if not ready.wait(timeout_s):
        raise ServingError("DEADLINE_EXCEEDED", f"the server was not ready after {timeout_s:g} s")
    if failures:
        raise failures[0]
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def run_loop(main: Any) -> None:
    """Run a coroutine in the fastest event loop there is."""
    try:
        import uvloop
    except ImportError:  # a platform without it
        asyncio.run(main)
    else:
        uvloop.run(main)


def for_model(name: str, base_path: str | Path, **changes: Any) -> ServerOptions:
    """Options to serve one model on free ports of this machine; `changes` are fields of ServerOptions."""
    if not Path(base_path).is_absolute():
        raise invalid(f"base_path: must be absolute, got {base_path}")
    defaults = {"rest_port": 0, "grpc": GrpcOptions(address="127.0.0.1:0")}
    return ServerOptions(models=model_config.single(name, str(base_path)), **{**defaults, **changes})
