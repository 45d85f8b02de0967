"""Trials in several processes: KerasTuner's own distributed mode, its oracle served on 127.0.0.1 to workers of ours.

KerasTuner's chief waits for ever for a worker that died; this one fails the trial it was at work on, and starts
another worker. A worker ends with this process, however that ends: it holds the other end of a pipe.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from concurrent import futures
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer
from keras_tuner.src.engine.oracle import Oracle

from components import _tuner_oracle

HOST = "127.0.0.1"
POLL_S = 0.1
LOGGER = logging.getLogger(__name__)


@dataclass
class Worker:
    """One process; one that takes another's place has a name of its own."""

    name: str
    process: "subprocess.Popen[bytes]"


class Chief:
    """Starts worker processes at once, so that they import while this one prepares; then lets them search.

    Args:
        count: how many; 0 starts none.
    """

    def __init__(self, count: int) -> None:
        self._threads = str(max(1, _cores() // max(1, count)))
        self._workers: list[Worker] = []
        for _ in range(count):
            self._start()

    def __enter__(self) -> "Chief":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()

    def search(self, oracle: Oracle, job: dict[str, Any]) -> None:
        """Serve an oracle to the workers until it has no more trials for them.

        Args:
            oracle: a lasting one.
            job: what `_tuner_worker.work` gets, JSON; with their names and the port it goes to each.

        Raises:
            RuntimeError: every worker died, and there are trials left.
        """
        # One thread: the oracle's lock belongs to a thread's name, and is not given back when a call fails.
        with futures.ThreadPoolExecutor(max_workers=1) as calls:
            server = grpc.server(calls)
            protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), server)
            job = {**job, "port": server.add_insecure_port(f"{HOST}:0")}
            server.start()
            try:
                for worker in self._workers:
                    _send(worker, job)
                self._watch(oracle, job, calls)
            finally:
                server.stop(grace=None).wait()

    def _watch(self, oracle: Oracle, job: dict[str, Any], calls: futures.Executor) -> None:
        at_work, codes = list(self._workers), []
        while at_work:
            time.sleep(POLL_S)
            for worker in [one for one in at_work if one.process.poll() is not None]:
                at_work.remove(worker)
                code = worker.process.returncode
                codes.append(code)
                message = f"worker {worker.name} died: {_reason(code)}"
                trial = calls.submit(_tuner_oracle.fail_ongoing, oracle, worker.name, message).result()
                if code == 0:
                    continue
                LOGGER.error("%s", message)
                if trial is not None and _tuner_oracle.goes_on(oracle):
                    at_work.append(replacement := self._start())
                    _send(replacement, job)
        if all(codes) and _tuner_oracle.goes_on(oracle):
            raise RuntimeError(f"all {len(codes)} workers died before the end, got {_reason(codes[0])}; see the log")

    def _start(self) -> Worker:
        environment = {
            **os.environ,
            # What can be imported here can be imported there.
            "PYTHONPATH": os.pathsep.join(sys.path),
            # As many threads as there are cores for one: two workers with all of them would fight.
            "OMP_NUM_THREADS": self._threads, "TF_NUM_INTRAOP_THREADS": self._threads,
            "TF_NUM_INTEROP_THREADS": self._threads,
            # Several processes share a GPU.
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }  # fmt: skip
        command = [sys.executable, "-P", "-m", "components._tuner_worker"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
        self._workers.append(worker := Worker(f"worker{len(self._workers)}", process))
        return worker


def _send(worker: Worker, job: dict[str, Any]) -> None:
    assert worker.process.stdin is not None, "it was started with a pipe"
    try:
        worker.process.stdin.write(json.dumps({**job, "name": worker.name}).encode() + b"\n")
        worker.process.stdin.flush()
    except BrokenPipeError:
        LOGGER.error("worker %s is gone before it began", worker.name)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
