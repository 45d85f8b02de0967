"""The worker processes of the direct runner work, and none stays behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

JOB = """
import os, signal, time
# Shells have what they start in the background ignore it, and what that starts too.
signal.signal(signal.SIGINT, signal.default_int_handler)
import apache_beam as beam
from pipeline import beam_args
from pipeline.beam_config import Beam

def work(seconds):
    import os, time
    time.sleep(seconds)
    os.write(1, f"done by {os.getpid()}\\n".encode())

arguments = beam_args.of(Beam.model_validate({"mode": "multi_processing", "workers": 2}).engine("Transform"))
with beam.Pipeline(argv=arguments) as job:
    job | beam.Create([SECONDS] * 8) | beam.Reshuffle() | beam.Map(work)
"""


def start(seconds: float, **options) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", JOB.replace("SECONDS", str(seconds))]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, text=True, stdout=pipe, stderr=subprocess.STDOUT, **options)


def workers_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Wait until a job has two workers, and return them."""
    while process.poll() is None:
        found = [one for one in psutil.Process(process.pid).children() if "pipeline.beam_worker" in one.cmdline()]
        if len(found) == 2:
            return found
        time.sleep(0.1)
    raise AssertionError(process.stdout and process.stdout.read())


def test_two_processes_share_the_work_and_end(tmp_path):
    # A folder of the user's that is called as one of our packages hides nothing from them.
    (tmp_path / "pipeline").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    output, _ = start(0.2, cwd=tmp_path, env=environment).communicate(timeout=120)
    assert len({line for line in output.splitlines() if line.startswith("done by")}) == 2, output


def test_a_worker_for_each_core_it_may_use_knows_the_filesystems_that_the_job_knows(tmp_path):
    """TensorFlow knows s3:// in a process that has imported tensorflow_io; here a stand-in is imported."""
    (tmp_path / "tensorflow_io.py").write_text("import os\nos.write(1, f'known in {os.getpid()}\\n'.encode())")
    one = f"import os, sys, tensorflow_io\nos.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n"
    job = one + JOB.replace("SECONDS", "0").replace(', "workers": 2', "")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, "-c", job], env=environment, capture_output=True, text=True, check=True)
    known, works = (
        {line.split()[-1] for line in done.stdout.splitlines() if line.startswith(word)} for word in ("known", "done")
    )
    assert len(works) == 1, "Beam itself counts the cores that others may use, too"
    assert len(known) == 2
    assert works < known


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_a_job_that_is_ended(sent):
    process = start(60)
    workers = workers_of(process)
    process.send_signal(sent)
    process.communicate(timeout=60)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_a_worker_that_is_killed_fails_the_job():
    process = start(60)
    for worker in workers_of(process):
        worker.kill()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "RuntimeError: a Beam worker died, got signal SIGKILL; is there enough memory?" in output
