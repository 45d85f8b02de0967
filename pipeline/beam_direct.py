"""Beam's direct runner with workers that end with the process that started them, however that ends.

Beam's own workers wait for minutes after their parent was killed, and it waits for ever for one that was killed, or
that had not yet answered when it was interrupted itself.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from apache_beam.options import pipeline_options
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner, worker_handlers
from google.protobuf import json_format, text_format

from pipeline.doctor import cpus

WORKER = "slipway:beam:worker:v1"
# For a worker that has nothing left to do; it may still import TensorFlow.
GRACE_S = 5.0
POLL_S = 0.5
# TensorFlow knows a filesystem of these where they were imported, see `components/_local_copies.py`.
FILESYSTEMS = frozenset({"tensorflow_io"})


class DirectRunner(fn_runner.FnApiRunner):
    """What Beam's DirectRunner ends up with, without its search, in which newer Beams download another runner."""

    def run_pipeline(self, pipeline: Any, options: Any) -> Any:
        """Run a Beam job; where the number of its workers is left open, with one for each core it may use."""
        direct = options.view_as(pipeline_options.DirectOptions)
        direct.direct_num_workers = direct.direct_num_workers or cpus()  # Beam's own count is that of all there are
        return super().run_pipeline(pipeline, options)

    def run_via_runner_api(self, pipeline_proto: Any, options: Any) -> Any:
        """Run a Beam job; its worker processes, if the options want some, are ours."""
        worker_handlers.WorkerHandler.register_environment(WORKER, bytes)(Worker)
        for environment in pipeline_proto.components.environments.values():
            if environment.urn == python_urns.SUBPROCESS_SDK:
                environment.urn = WORKER
        return super().run_via_runner_api(pipeline_proto, options)


class Worker(worker_handlers.GrpcWorkerHandler):
    """One worker process. It holds the other end of a pipe, and ends when this end is gone."""

    def __init__(self, _: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)
        self._stopping = False

    def start_worker(self) -> None:
        """Start the process; Beam tells workers by the environment whom to ask for work."""
        options = self.provision_info.provision_info.pipeline_options
        environment = {
            **os.environ,
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.control_api_service_descriptor()),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.logging_api_service_descriptor()),
            "PIPELINE_OPTIONS": json_format.MessageToJson(options),
            "WORKER_ID": self.worker_id,
            # What can be imported here can be imported there, and nothing of the working directory hides it.
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "-P", "-m", "pipeline.beam_worker", *(FILESYSTEMS & sys.modules.keys())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
        threading.Thread(target=self._watch, daemon=True).start()

    def stop_worker(self) -> None:
        """Wait for the process to end, and kill it when it does not."""
        self._stopping = True
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        """Fail the job when the process dies."""
        code = self._process.wait()
        reason = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        died = f"a Beam worker died, got {reason}; is there enough memory?"
        while not self._stopping:  # of what is asked later, too
            # Beam's own `abort` does not wake who waits for data.
            for key, future in list(self.control_conn._futures_by_id.items()):
                future.set(beam_fn_api_pb2.InstructionResponse(instruction_id=key, error=died))
            time.sleep(POLL_S)
