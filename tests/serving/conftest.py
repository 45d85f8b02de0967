"""Models to serve: one SavedModel with many doors, made once, and a server over it for the whole session."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Answer:
    """What a REST request came back with."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return self.json["error"]


class Rest:
    """Ask a server over a real socket, with what everyone has: urllib."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def __call__(self, path: str, body: Any = None, *, method: str | None = None, headers: Any = None) -> Answer:
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        data = data.encode() if isinstance(data, str) else data
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def predict(self, body: Any, model: str = "zoo") -> Answer:
        return self(f"/v1/models/{model}:predict", body)


def export_half_plus(path: Path, add: float = 2.0) -> Path:
    """x / 2 + add, as a model whose version can be told from its answers."""
    import tensorflow as tf

    class Half(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = tf.Variable(0.5), tf.Variable(add)

        @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
        def run(self, x):
            return {"y": self.a * x + self.b}

    half = Half()
    temporary = path.parent / f"tmp-{path.name}"
    tf.saved_model.save(half, str(temporary), signatures={"serving_default": half.run})
    temporary.rename(path)
    return path


def export_zoo(path: Path, words: Path) -> None:
    """A SavedModel with a signature for every rule of the specification."""
    import tensorflow as tf

    words.write_text("yellow\ncab\n")
    zoo = tf.Module()
    zoo.count = tf.Variable(0, dtype=tf.int64)
    init = tf.lookup.TextFileInitializer(
        str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    zoo.table = tf.lookup.StaticHashTable(init, -1)
    signatures = {**plain_doors(tf, zoo), **example_doors(tf)}
    for dtype in ECHO:
        spec = tf.TensorSpec(None, getattr(tf, dtype), name="x")
        signatures[f"echo_{dtype}"] = tf.function(lambda x: {"y": tf.identity(x)}, input_signature=[spec])
    zoo.doors = signatures
    tf.saved_model.save(zoo, str(path), signatures=signatures)


ECHO = (
    "float32", "float64", "int32", "int64", "int16", "int8", "uint8", "uint32", "uint64", "bool", "string",
    "float16", "bfloat16", "uint16", "complex64",
)  # fmt: skip


def plain_doors(tf: Any, zoo: Any) -> dict[str, Any]:
    """Signatures over plain tensors."""

    def door(function: Any, **inputs: tuple[Any, Any]) -> Any:
        specs = [tf.TensorSpec(shape, dtype, name=name) for name, (shape, dtype) in inputs.items()]
        return tf.function(function, input_signature=specs)

    def spin(x):
        """x[0] rounds of work: with 1e9, longer than anyone waits."""
        return {"y": tf.while_loop(lambda i: i < x[0], lambda i: [i + tf.reduce_sum(tf.ones([8]) / 8)], [0.0])[0]}

    def picky(x):
        with tf.control_dependencies([tf.debugging.assert_non_negative(x, "a negative row")]):
            return {"y": tf.sqrt(x)}

    many, floats = [None], ([None], tf.float32)
    return {
        "serving_default": door(lambda x: {"y": x / 2 + 2}, x=([None, 1], tf.float32)),
        "pair": door(lambda a, b: {"total": a + tf.cast(b, tf.float32), "number": b * 2}, a=floats, b=(many, tf.int64)),
        "upper": door(lambda s: {"text": tf.strings.upper(s), "size": tf.strings.length(s)}, s=(many, tf.string)),
        "same_bytes": door(lambda s: {"out_bytes": s, "size_bytes": tf.strings.length(s)}, s=(many, tf.string)),
        "total": door(lambda x: {"y": tf.reduce_sum(x)}, x=floats),
        "uneven": door(lambda x: {"a": x, "b": tf.constant([1.0, 2.0])}, x=floats),
        "longer": door(lambda x: {"y": tf.concat([x, x], 0)}, x=floats),
        "log": door(lambda x: {"y": tf.math.log(x)}, x=floats),
        "matrix": door(lambda x: {"y": tf.linalg.matmul(x, tf.ones([2, 3]))}, x=([None, 2], tf.float32)),
        "picky": door(picky, x=floats),
        "spin": door(spin, x=floats),
        "lookup": door(lambda s: {"id": zoo.table.lookup(s)}, s=(many, tf.string)),
        "counter": door(lambda x: {"y": zoo.count.assign_add(tf.cast(tf.size(x), tf.int64))[None]}, x=floats),
    }


def example_doors(tf: Any) -> dict[str, Any]:
    """Signatures that take serialized tf.Examples with a float feature x, as classify and regress need."""

    def door(function: Any, name: str = "inputs") -> Any:
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=name)])
        def parsed(serialized):
            spec = {"x": tf.io.FixedLenFeature([], tf.float32)}
            return function(tf.io.parse_example(serialized, spec)["x"])

        return parsed

    def two(x):
        return tf.stack([x, 1 - x], axis=1)

    def labels(x):
        return tf.tile(tf.constant([["yes", "no"]]), [tf.size(x), 1])

    return {
        "serving_examples": door(lambda x: {"y": x * 2}, "examples"),
        "classify": door(lambda x: {"classes": labels(x), "scores": two(x)}),
        "classify_scores": door(lambda x: {"scores": two(x)}),
        "classify_classes": door(lambda x: {"classes": labels(x)}),
        "classify_flat": door(lambda x: {"scores": x}),
        "classify_double": door(lambda x: {"scores": tf.cast(two(x), tf.float64)}),
        "classify_short": door(lambda x: {"scores": two(x)[:1]}),
        "classify_three": door(lambda x: {"classes": labels(x), "scores": two(x), "more": x}),
        "classify_other": door(lambda x: {"logits": two(x)}),
        "regress": door(lambda x: {"outputs": x * 2}),
        "regress_column": door(lambda x: {"outputs": (x * 2)[:, None]}),
        "regress_wide": door(lambda x: {"outputs": two(x)}),
        "regress_short": door(lambda x: {"outputs": x[:1]}),
        "regress_double": door(lambda x: {"outputs": tf.cast(x, tf.float64)}),
        "regress_other": door(lambda x: {"y": x}),
    }


@pytest.fixture(scope="session")
def zoo_model(tmp_path_factory) -> Path:
    """The versions folder of the zoo."""
    base = tmp_path_factory.mktemp("zoo")
    export_zoo(base / "1", base / "words.txt")
    return base


@pytest.fixture(scope="session")
def half_model(tmp_path_factory) -> Path:
    """A versions folder with half_plus_two as version 123; copy it before you change it."""
    base = tmp_path_factory.mktemp("half")
    export_half_plus(base / "123")
    return base


@pytest.fixture(scope="session")
def half_models(tmp_path_factory) -> dict[int, Path]:
    """Version n of half_plus_n, for n in 1..4, each to be copied into place."""
    base = tmp_path_factory.mktemp("halves")
    return {n: export_half_plus(base / str(n), float(n)) for n in (1, 2, 3, 4)}


@dataclass
class Served:
    """A running server and ways to ask it."""

    server: Any
    rest: Rest
    grpc: Any


@pytest.fixture(scope="session")
def zoo(zoo_model, half_model):
    """A server of both models; `zoo.rest`, `zoo.grpc` (a channel), `zoo.server`."""
    import grpc

    from serving import model_config
    from serving.grpc_server import GrpcOptions
    from serving.server import ServerOptions, running

    config = model_config.single("zoo", str(zoo_model))
    config.model_config_list.config.add(name="half", base_path=str(half_model), model_platform="tensorflow")
    for model in config.model_config_list.config:
        model.version_labels["stable"] = 1 if model.name == "zoo" else 123
        model.version_labels["broken"] = 77
    options = ServerOptions(
        models=config, rest_port=0, grpc=GrpcOptions(address="127.0.0.1:0", health=True), early_labels=True
    )
    with running(options) as server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield Served(server, Rest(server.rest_port), channel)


@pytest.fixture
def rest(zoo) -> Rest:
    return zoo.rest


@pytest.fixture(scope="session")
def rest_of():
    """Ways to ask a server of one's own."""
    return lambda server: Rest(server.rest_port)


@pytest.fixture(scope="session")
def put_version():
    """Copy a version into place the way a pusher must: under another name, then renamed."""

    def put(source: Path, base: Path, number: int) -> Path:
        temporary = base / f"tmp.{number}"
        shutil.copytree(source, temporary)
        return temporary.rename(base / str(number))

    return put


@pytest.fixture(scope="session")
def serving_half():
    """Start a server of one model `half` that looks at the disk ten times a second; a context manager."""
    from serving.server import for_model, running
    from serving.versions import LifePolicy

    @contextlib.contextmanager
    def serve(base: Path, **changes):
        changes = {"life": LifePolicy(poll_s=0.1, max_load_retries=0), **changes}
        with running(for_model("half", base, **changes)) as server:
            yield server, Rest(server.rest_port)

    return serve


@pytest.fixture(scope="session")
def eventually():
    """Wait until something holds."""

    def wait(condition, timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def server_process(tmp_path):
    """Start the command as a process of its own; a context manager."""

    @contextlib.contextmanager
    def process(base, *arguments, name="half"):
        """The server as a process of its own; yields (process, rest port, gRPC port)."""
        ports = [tmp_path / "rest.port", tmp_path / "grpc.port"]
        command = [
            sys.executable, "-m", "serving.cli", "--port=-1", "--rest_api_port=-1", f"--model_name={name}",
            f"--model_base_path={base}", f"--rest_port_file={ports[0]}", f"--port_file={ports[1]}", *arguments,
        ]  # fmt: skip
        log = (tmp_path / "server.log").open("w")
        child = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            deadline = time.monotonic() + 60
            while not all(port.exists() for port in ports):
                assert child.poll() is None, (tmp_path / "server.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield child, *(int(port.read_text()) for port in ports)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
            log.close()

    return process
