"""Running it: flags, the process, TLS, limits, metrics, logs, warm-up, draining (sections 12 to 14)."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time

import pytest

from serving import flags
from serving.errors import ServingError
from serving.flag_options import to_options

SERVER = [sys.executable, "-m", "serving.cli"]


def options(*arguments):
    values, unknown = flags.parse(["--model_base_path=/m", *arguments])
    assert not unknown
    return to_options(values)


def test_flags_have_the_real_spelling_and_defaults():
    values, unknown = flags.parse([])
    assert not unknown
    assert (values.port, values.rest_api_port, values.rest_api_timeout_in_ms) == (8500, 0, 30000)
    assert (values.model_name, values.file_system_poll_wait_seconds, values.max_num_load_retries) == ("default", 1, 5)
    assert (values.load_retry_interval_micros, values.saved_model_tags) == (60_000_000, "serve")
    assert values.enable_model_warmup
    assert values.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--port=1"], "port", 1), (["--port", "2"], "port", 2), (["-port=3"], "port", 3),
        (["--port=1", "--port=4"], "port", 4), (["--enable_batching"], "enable_batching", True),
        (["--enable_batching=false"], "enable_batching", False),
        (["--enable_batching", "true"], "enable_batching", True),
        (["--rest_api_enable_cors_support", "--port=5"], "rest_api_enable_cors_support", True),
        (["--enable_model_warmup=0"], "enable_model_warmup", False), (["--model_name", "a=b"], "model_name", "a=b"),
    ],
)  # fmt: skip
def test_flags_are_read_both_ways(arguments, name, value):
    values, unknown = flags.parse(arguments)
    assert not unknown
    assert getattr(values, name) == value


@pytest.mark.parametrize(
    "arguments", [["--nonsense=1"], ["--port=abc"], ["stray"], ["--port"], ["--enable_batching=maybe"]]
)
def test_an_unknown_flag_is_reported(arguments):
    assert flags.parse(arguments)[1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--model_base_path="], "model_base_path and server_options.model_config_file are empty"),
        (["--port=0"], "grpc_port or server_options.grpc_socket_path must be set"),
        (["--batching_parameters_file=/x"], "without setting server_options.enable_batching"),
        (["--tensorflow_session_parallelism=1", "--tensorflow_intra_op_parallelism=1"], "You cannot configure all"),
        (["--ssl_config_file=/nowhere/x"], "/nowhere/x"), (["--monitoring_config_file=/nowhere/x"], "/nowhere/x"),
    ],
)  # fmt: skip
def test_flags_that_do_not_go_together_stop_the_start(arguments, text):
    with pytest.raises(ServingError, match=re.escape(text)):
        options(*arguments)


def test_flags_become_options(tmp_path):
    monitoring = tmp_path / "monitoring.config"
    monitoring.write_text('prometheus_config { enable: true path: "/metrics" }')
    found = options("--rest_api_port=8501", "--host=0.0.0.0", f"--monitoring_config_file={monitoring}", "--max_rows=5")
    assert (found.rest_port, found.host, found.grpc.address) == (8501, "0.0.0.0", "0.0.0.0:8500")
    assert (found.metrics_path, found.max_rows, found.batching.strict) == ("/metrics", 5, False)
    assert options("--rest_api_port=8500").rest_port is None
    assert options().rest_port is None
    assert options("--enable_batching").batching.strict
    monitoring.write_text("prometheus_config { }")
    assert options(f"--monitoring_config_file={monitoring}").metrics_path is None


def test_the_command_serves_drains_and_ends_with_zero(tmp_path, half_model, rest_of, server_process):
    with server_process(half_model, "--access_log=" + str(tmp_path / "access.log"), "--nonsense=1") as (
        child,
        port,
        _,
    ):
        rest = rest_of(type("S", (), {"rest_port": port}))
        assert rest.predict({"instances": [1.0]}, model="half").json == {"predictions": [2.5]}
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert re.fullmatch(r"POST /v1/models/half:predict 200 \d+ [\d.]+ms\n", (tmp_path / "access.log").read_text())
    assert "unknown argument: --nonsense=1" in (tmp_path / "server.log").read_text()


def test_help_imports_nothing_heavy():
    code = "import sys, serving.cli; serving.cli.main(['--help']); assert 'tensorflow' not in sys.modules, 'heavy'"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--model_config_file_poll_wait_seconds" in shown.stdout


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_a_reader_that_leaves_early_is_no_error(flag):
    child = subprocess.Popen([*SERVER, flag], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.close()
    assert (child.stderr.read(), child.wait()) == (b"", 0)


def test_a_stop_while_the_first_model_is_awaited_ends_with_zero(tmp_path, eventually):
    log = tmp_path / "log"
    with log.open("w") as file:
        child = subprocess.Popen([*SERVER, "--port=-1", f"--model_base_path={tmp_path}/gone"], stderr=file)
    # The server looks for versions once its handlers of signals are there.
    eventually(lambda: "cannot list" in log.read_text(), 60)
    child.send_signal(signal.SIGTERM)
    assert child.wait(30) == 0, log.read_text()
    assert "Failed" not in log.read_text()


def test_a_start_that_fails_says_why(tmp_path):
    failed = subprocess.run([*SERVER, "--model_base_path=relative"], capture_output=True, text=True)
    assert failed.returncode == 1
    assert "Failed to start server. Error: Expected model default to have an absolute path" in failed.stderr


def test_a_stop_finishes_what_is_under_way(half_model, zoo_model, rest_of):
    from serving.server import for_model, running

    answers = []
    with running(for_model("zoo", zoo_model)) as server:
        ask = rest_of(server).predict
        slow = threading.Thread(target=lambda: answers.append(ask({"signature_name": "spin", "inputs": [2e5]})))
        slow.start()
        time.sleep(0.2)
    slow.join()
    assert [answer.status for answer in answers] == [200]


def certificate(folder):
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
        "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-addext", "subjectAltName=DNS:localhost",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "key.pem").read_text(), (folder / "cert.pem").read_text()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_grpc_speaks_tls_when_told_to(tmp_path, half_model):
    import grpc
    from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

    from serving import text_config
    from serving.grpc_server import GrpcOptions
    from serving.server import for_model, running

    key, cert = certificate(tmp_path)
    assert ssl.PEM_cert_to_DER_cert(cert)
    file = tmp_path / "ssl.config"
    file.write_text(f"server_key: {json.dumps(key)} server_cert: {json.dumps(cert)} client_verify: false")
    secure = GrpcOptions(address="127.0.0.1:0", ssl=text_config.read(file, "SSLConfig"))
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "half"
    with running(for_model("half", half_model, grpc=secure)) as server:
        address, credentials = f"localhost:{server.grpc_port}", grpc.ssl_channel_credentials(cert.encode())
        with grpc.secure_channel(address, credentials) as channel:
            assert model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, timeout=10)
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError):
            model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, timeout=5)


def test_limits_answer_with_what_was_too_much(half_model, rest_of):
    from serving.http_server import HttpOptions
    from serving.server import for_model, running

    http = HttpOptions(max_body_bytes=1000, max_waiting=0)
    with running(for_model("half", half_model, http=http)) as server:
        answer = rest_of(server).predict({"instances": [1.0]}, model="half")
        assert (answer.status, "the limit is 0" in answer.error) == (503, True)
        answer = rest_of(server).predict({"instances": [1.0] * 1000}, model="half")
        assert (answer.status, "the limit is 1000 bytes" in answer.error) == (413, True)
    with running(for_model("half", half_model, max_rows=2)) as server:
        assert rest_of(server).predict({"instances": [1.0] * 2}, model="half").status == 200
        answer = rest_of(server).predict({"instances": [1.0] * 3}, model="half")
        assert (answer.status, "got 3; the limit is 2" in answer.error) == (400, True)


def test_cors_headers_come_with_the_flag(half_model, rest_of):
    from serving.http_server import HttpOptions
    from serving.server import for_model, running

    with running(for_model("half", half_model, http=HttpOptions(cors=True))) as server:
        answer = rest_of(server)("/v1/models/half")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "POST, GET"


def test_grpc_listens_on_a_socket_too(tmp_path, half_model):
    import grpc
    from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

    from serving.grpc_server import GrpcOptions
    from serving.server import for_model, running

    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "half"
    only_socket = GrpcOptions(socket_path=str(tmp_path / "s"))
    with (
        running(for_model("half", half_model, grpc=only_socket)),
        grpc.insecure_channel(f"unix:{tmp_path / 's'}") as channel,
    ):
        response = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, timeout=10)
    assert response.model_version_status[0].version == 123


def test_metrics_count_requests_under_the_real_names(half_model, rest_of):
    from serving.server import for_model, running

    with running(for_model("half", half_model)) as server:
        rest = rest_of(server)
        for _ in range(3):
            rest.predict({"instances": [1.0]}, model="half")
        rest.predict("{", model="half")
        rest("/v1/models/half")
        text = rest("/monitoring/prometheus/metrics").body.decode()
    assert text.endswith("\n")
    assert "# TYPE :tensorflow:serving:request_count counter\n" in text
    assert ':tensorflow:serving:request_count{model_name="half",status="OK"} 4\n' in text
    assert ':tensorflow:serving:request_count{model_name="half",status="INVALID_ARGUMENT"} 1\n' in text
    latency = 'request_latency_bucket{model_name="half",API="predict",entrypoint="REST",le='
    assert text.count(latency) == 34
    assert f'{latency}"10"}}' in text
    assert f'{latency}"+Inf"}} 3\n' in text
    assert 'request_latency_count{model_name="half",API="predict",entrypoint="REST"} 3\n' in text


def test_sampled_requests_are_written_as_prediction_logs(tmp_path, half_model, rest_of, eventually):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    from serving import model_config
    from serving.server import ServerOptions, running

    config = model_config.single("half", str(half_model))
    wanted = config.model_config_list.config[0].logging_config
    wanted.log_collector_config.filename_prefix = str(tmp_path / "logs" / "half")
    wanted.sampling_config.sampling_rate = 1.0
    with running(ServerOptions(models=config, rest_port=0)) as server:
        for n in range(5):
            assert rest_of(server).predict({"instances": [float(n)]}, model="half").status == 200
    (file,) = (tmp_path / "logs").glob("half-*.tfrecord")
    logs = [
        prediction_log_pb2.PredictionLog.FromString(r) for r in tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    ]
    assert [list(found.predict_log.request.inputs["x"].float_val) for found in logs] == [
        [0.0],
        [1.0],
        [2.0],
        [3.0],
        [4.0],
    ]
    assert list(logs[4].predict_log.response.outputs["y"].float_val) == [4.0]
    assert logs[0].log_metadata.model_spec.version.value == 123


def write_warmup(version, *texts):
    import tensorflow as tf
    from google.protobuf import text_format
    from tensorflow_serving.apis import prediction_log_pb2

    (version / "assets.extra").mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(version / "assets.extra" / "tf_serving_warmup_requests")) as writer:
        for text in texts:
            log = text if isinstance(text, bytes) else text_format.Parse(
                text, prediction_log_pb2.PredictionLog()).SerializeToString()  # fmt: skip
            writer.write(log)


TENSOR = "dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: 1"
GOOD = f'predict_log {{ request {{ model_spec {{ name: "half" }} inputs {{ key: "x" value {{ {TENSOR} }} }} }} }}'
WARMUPS = [
    ([GOOD, ""], 2, None),
    ([GOOD.replace('"x"', '"z"')], 0, "INVALID_ARGUMENT"),
    ([GOOD.replace('name: "half"', 'signature_name: "no"')], 0, "FAILED_PRECONDITION"),
    (["session_run_log { }"], 0, "UNIMPLEMENTED"),
    ([b"\xff\xff no proto"], 0, "INVALID_ARGUMENT"),
    ([""] * 1001, 0, "INVALID_ARGUMENT"),
]


@pytest.mark.parametrize(("records", "count", "code"), WARMUPS)
def test_warm_up_requests_are_run_at_load(tmp_path, half_model, put_version, records, count, code):
    from serving import warmup
    from serving.predictor import Predictor

    version = put_version(half_model / "123", tmp_path, 1)
    predictor = Predictor(version)
    assert warmup.run(predictor, version) == 0
    write_warmup(version, *records)
    if code is None:
        assert warmup.run(predictor, version) == count
    else:
        with pytest.raises(ServingError) as caught:
            warmup.run(predictor, version)
        assert caught.value.code == code
    (version / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"no record file at all")
    with pytest.raises(ServingError, match="Please verify your warmup data is in TFRecord format"):
        warmup.run(predictor, version)


def test_a_warm_up_that_fails_keeps_the_old_version(tmp_path, half_models, put_version, serving_half, eventually):
    put_version(half_models[1], tmp_path, 1)
    with serving_half(tmp_path) as (server, rest):
        new = put_version(half_models[2], tmp_path, 10**6)
        os.rename(new, tmp_path / "hidden")
        write_warmup(tmp_path / "hidden", GOOD.replace('"x"', '"z"'))
        os.rename(tmp_path / "hidden", tmp_path / "2")
        eventually(lambda: any(number == 2 and state == "END" for number, state, _ in server.versions.status("half")))
        assert rest.predict({"instances": [0.0]}, model="half").json == {"predictions": [1.0]}
