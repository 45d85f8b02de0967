"""The embedded server against MLflow's, a plain FastAPI app, and the same model in process. One run, one machine.

    python -P benchmarks/serving.py                           # .slipway/serving/taxi, or a model of its shape
    python -P benchmarks/serving.py --model DIR --seconds 10 --with fastapi,mlflow
    python -P benchmarks/serving.py --stacks                  # what a fixed answer costs on four HTTP stacks

MLflow and FastAPI are no dependencies: the first run installs them into folders under .slipway/bench/, which only their
servers see. The load comes from another process (serving_load.py); every server runs alone.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BENCH = Path(".slipway/bench")
RIVALS = {"fastapi": ["fastapi", "uvicorn", "httptools", "uvloop"], "mlflow": ["mlflow>=3.17,<4"]}
CONNECTIONS = (1, 8, 32, 128)


def install(rival: str) -> None:
    """Install a rival into a folder of its own, once."""
    folder = BENCH / rival
    if not folder.exists():
        uv = Path(sys.executable).with_name("uv")
        tool = [str(uv), "pip", "install"] if uv.exists() else [sys.executable, "-m", "pip", "install"]
        subprocess.run([*tool, "--quiet", "--target", str(folder), *RIVALS[rival]], check=True)


def run_beside(rival: str, arguments: list[str]) -> list[str]:
    """A command line for Python that sees a rival's folder after the project's own packages."""
    code = (
        f"import sys, runpy; sys.path.append({str((BENCH / rival).resolve())!r}); sys.argv = sys.argv[1:]; "
        "target = sys.argv[0]; run = runpy.run_path if target.endswith('.py') else runpy.run_module; "
        "run(target, run_name='__main__')"
    )
    return [sys.executable, "-P", "-c", code, *arguments]


@contextlib.contextmanager
def server(command: list[str], ready: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """A server, from the moment its URL answers anything at all."""
    log = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process that writes it)
    child = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 180
        while not answers(ready):
            if child.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise SystemExit(f"{command[:4]} did not start:\n{log.read().decode()[-2000:]}")
            time.sleep(0.2)
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, 15)
        child.wait()


def answers(url: str) -> bool:
    """Whether something answers, with any status."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def load(kind: str, port: int, path: str, file: Path, connections: int, seconds: float) -> dict[str, Any]:
    """One measurement, by a process of its own."""
    command = [
        sys.executable,
        "-P",
        str(HERE / "serving_load.py"),
        kind,
        str(port),
        path,
        str(file),
        str(connections),
        str(seconds),
    ]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def bodies(model: Path, folder: Path) -> dict[str, Path]:
    """Write the requests: 1 and 256 rows, for each kind of server; returns files by kind and count."""
    import numpy as np
    from tensorflow_serving.apis import predict_pb2

    from serving.predictor import Predictor, as_tensor
    from serving.tensor_proto import fill

    rows = rows_for(model, folder)
    predictor = Predictor(model)
    signature = predictor.signature("")
    files = {}
    for count in (1, 256):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "m"
        for name, info in signature.inputs.items():
            fill(request.inputs[name], np.asarray(as_tensor([row[name] for row in rows[:count]], info)), info.dtype)
        texts = {
            "rest": json.dumps({"instances": rows[:count]}).encode(),
            "mlflow": json.dumps({"dataframe_records": rows[:count]}).encode(),
            "grpc": request.SerializeToString(),
        }
        for kind, text in texts.items():
            files[f"{kind}{count}"] = folder / f"{kind}-{count}"
            files[f"{kind}{count}"].write_bytes(text)
    predictor.close()
    return files


def rows_for(model: Path, folder: Path) -> list[dict[str, Any]]:
    """256 random rows that fit the model; the same ones each time."""
    file = folder / "rows.json"
    if not file.exists():
        beside = str(HERE / "serving_rivals.py")
        subprocess.run([sys.executable, "-P", beside, "rows", str(model), str(file)], check=True, capture_output=True)
    return json.loads(file.read_text())


def in_process(model: Path, seconds: float, folder: Path) -> dict[str, float]:
    """Rows per second of the plain signature call from lists, as the FastAPI app does it, and of our predictor."""
    import tensorflow as tf

    from serving.predictor import Predictor, as_tensor

    loaded = tf.saved_model.load(str(model))
    signature = loaded.signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    rows = rows_for(model, folder)
    predictor = Predictor(model)
    infos = predictor.signature("")
    found = {}
    for count in (1, 256):
        some = rows[:count]

        def call(some=some):
            tensors = {n: tf.constant([row[n] for row in some], spec.dtype) for n, spec in specs.items()}
            return next(iter(signature(**tensors).values())).numpy()

        def run(some=some):
            columns = {n: as_tensor([row[n] for row in some], info) for n, info in infos.inputs.items()}
            return predictor.run(infos, columns)

        found[f"signature {count}"] = rate(call, seconds) * count
        found[f"predictor {count}"] = rate(run, seconds) * count
    return found


def rate(call: Any, seconds: float) -> float:
    """Calls per second: the median of five measurements."""
    for _ in range(20):
        call()
    measured = []
    for _ in range(5):
        started, calls = time.perf_counter(), 0
        while time.perf_counter() < started + seconds / 5:
            call()
            calls += 1
        measured.append(calls / (time.perf_counter() - started))
    return statistics.median(measured)


def measure(name: str, kind: str, port: int, path: str, one: Path, many: Path, seconds: float) -> None:
    """Print a server's lines."""
    for connections in CONNECTIONS:
        got = load(kind, port, path, one, connections, seconds)
        show(name, f"1 row, {connections} conn.", got)
    got = load(kind, port, path, many, 4, seconds)
    show(name, "256 rows, 4 conn.", got, 256)


def show(name: str, what: str, got: dict[str, Any], rows: int = 1) -> None:
    """One line of the table."""
    times = f"p50 {got['p50_ms']:8.2f} ms   p99 {got['p99_ms']:8.2f} ms"
    print(
        f"{name:14} {what:18} {got['per_s'] * rows:10.0f} rows/s   {times}   failed {got['failed']}   "
        f"generator {got['generator_cpu']:.2f} cores",
        flush=True,
    )


def embedded(model: Path, files: dict[str, Path], seconds: float, folder: Path) -> None:
    """Our server, both doors."""
    base = folder / "m"
    base.mkdir()
    (base / "1").symlink_to(model.resolve())
    flags = ["--port=18500", "--rest_api_port=18501", "--model_name=m", f"--model_base_path={base}"]
    with server([sys.executable, "-m", "serving.cli", *flags], "http://127.0.0.1:18501/v1/models/m") as child:
        measure("embedded REST", "rest", 18501, "/v1/models/m:predict", files["rest1"], files["rest256"], seconds)
        measure("embedded gRPC", "grpc", 18500, "-", files["grpc1"], files["grpc256"], seconds)
        pages = int(Path(f"/proc/{child.pid}/statm").read_text().split()[1])
        print(f"{'embedded':14} resident memory {pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.0f} MiB")


def rival(name: str, model: Path, files: dict[str, Path], seconds: float, folder: Path) -> None:
    """FastAPI or MLflow, installed when missing."""
    install(name)
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if name == "fastapi":
        command = run_beside(name, [str(HERE / "serving_rivals.py"), "fastapi", str(model), "18502"])
        with server(command, "http://127.0.0.1:18502/none", quiet):
            measure("FastAPI", "rest", 18502, "/predict", files["rest1"], files["rest256"], seconds)
        return
    made = folder / "mlflow-model"
    subprocess.run(
        run_beside(name, [str(HERE / "serving_rivals.py"), "mlflow", str(model), str(made)]),
        check=True, capture_output=True, env=quiet,
    )  # fmt: skip
    beside = {**quiet, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    beside["PYTHONPATH"] += os.pathsep + str((BENCH / name).resolve())
    beside["PATH"] = str((BENCH / name / "bin").resolve()) + os.pathsep + beside["PATH"]
    command = run_beside(name, ["mlflow", "models", "serve", "-m", str(made), "-p", "18503", "--env-manager", "local"])
    with server(command, "http://127.0.0.1:18503/ping", beside):
        measure("MLflow", "rest", 18503, "/invocations", files["mlflow1"], files["mlflow256"], seconds)


def stacks(seconds: float) -> None:
    """What a fixed answer costs on different HTTP stacks, at 32 connections."""
    install("fastapi")
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(b'{"instances":[1.0,2.0,5.0]}')
        for number, name in enumerate(("protocol", "uvicorn", "aiohttp", "fastapi")):
            port = 18510 + number
            command = run_beside("fastapi", [str(HERE / "serving_stacks.py"), name, str(port)])
            with server(command, f"http://127.0.0.1:{port}/"):
                show(name, "fixed, 32 conn.", load("rest", port, "/v1/x", body, 32, seconds))


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a SavedModel with a serving_default of scalars by name")
    parser.add_argument("--seconds", type=float, default=5.0, help="per measurement")
    parser.add_argument("--with", dest="rivals", default="fastapi,mlflow", help="comma-separated, or nothing")
    parser.add_argument("--stacks", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.stacks:
        stacks(options.seconds)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = options.model or newest(Path(".slipway/serving/taxi")) or standin(folder)
        print(f"model {model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
        files = bodies(model, folder)
        for what, per_s in in_process(model, options.seconds, folder).items():
            print(f"in process     {what:18} {per_s:10.0f} rows/s", flush=True)
        embedded(model, files, options.seconds, folder)
        for other in filter(None, options.rivals.split(",")):
            rival(other, model, files, options.seconds, folder)


def newest(base: Path) -> Path | None:
    """The highest version under a base path."""
    versions = [child for child in base.glob("*") if child.name.isdigit()]
    return max(versions, key=lambda child: int(child.name), default=None)


def standin(folder: Path) -> Path:
    """A model shaped like the taxi one."""
    path = folder / "standin" / "1"
    subprocess.run(
        [sys.executable, "-P", str(HERE / "serving_rivals.py"), "standin", str(path)], check=True, capture_output=True
    )
    return path


if __name__ == "__main__":
    if not sys.flags.safe_path:  # or this file would hide the package `serving`
        os.execv(sys.executable, [sys.executable, "-P", *sys.argv])
    main()
