"""A process that trains trials for `_tuner_chief.py`: one line of JSON comes in, and then nothing until the end."""

import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any

from tfx.components.trainer import fn_args_utils
from tfx.components.util import udf_utils
from tfx.utils import json_utils

from components import _local_copies, _tuner_chief, _tuner_record

# Of <linux/prctl.h>: the signal that the kernel sends when the thread that started this process ends.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Wait for the job, and do it."""
    if sys.platform == "linux":
        # At once, even in the midst of a computation; the pipe does the same wherever Python gets to run.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    line = sys.stdin.readline()
    if line:
        threading.Thread(target=_end_with_chief, daemon=True).start()
        work(json.loads(line))
    # Not by way of the interpreter's end: it would wait for the thread that reads.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def work(job: dict[str, Any]) -> None:
    """Train what the oracle gives, until it has no more.

    Args:
        job: `inputs` (artifacts by key, TFX's JSON), `exec_properties`, `folder`, `seed`, `deadline`, `port` and
            `name`.
    """
    os.environ |= {
        "KERASTUNER_TUNER_ID": job["name"],
        "KERASTUNER_ORACLE_IP": _tuner_chief.HOST,
        "KERASTUNER_ORACLE_PORT": str(job["port"]),
    }
    properties = job["exec_properties"]
    inputs = json_utils.loads(job["inputs"])
    _local_copies.register_all(inputs)
    fn_args = fn_args_utils.get_common_fn_args(inputs, properties, job["folder"])
    found = udf_utils.get_fn(properties, "tuner_fn")(fn_args)
    _tuner_record.make_recorded(found.tuner, seed=job["seed"], deadline=job["deadline"])
    found.tuner.search(**found.fit_kwargs)


def _end_with_chief() -> None:
    """Exit when the chief does: the pipe from it comes to its end."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
