"""gRPC with the stubs of tensorflow-serving-api, rule by rule of the specification (section 9)."""

import grpc
import numpy as np
import pytest
from google.protobuf import text_format


@pytest.fixture(scope="module")
def api():
    """The proto modules; importing them imports TensorFlow."""
    import tensorflow as tf
    from tensorflow_serving.apis import (
        classification_pb2,
        get_model_metadata_pb2,
        get_model_status_pb2,
        inference_pb2,
        model_management_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
        regression_pb2,
    )

    modules = (
        classification_pb2, get_model_metadata_pb2, get_model_status_pb2, inference_pb2, model_management_pb2,
        model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc, regression_pb2,
    )  # fmt: skip
    found = {name: value for module in modules for name, value in vars(module).items() if name[0].isupper()}
    return {**found, "tf": tf}


@pytest.fixture(scope="module")
def stub(api, zoo):
    return api["PredictionServiceStub"](zoo.grpc)


@pytest.fixture
def predict(api, stub):
    """Send a Predict: spec fields as a dict, inputs as arrays or TensorProtos."""

    def send(inputs, output_filter=(), timeout=30, **spec):
        request = api["PredictRequest"]()
        fill_spec(request.model_spec, **{"name": "zoo", **spec})
        for name, value in inputs.items():
            proto = value if hasattr(value, "dtype") and hasattr(value, "tensor_shape") else None
            request.inputs[name].CopyFrom(api["tf"].make_tensor_proto(value) if proto is None else proto)
        request.output_filter.extend(output_filter)
        return stub.Predict(request, timeout=timeout)

    return send


def fill_spec(spec, name="", signature_name="", version=None, label=None):
    spec.name, spec.signature_name = name, signature_name
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label


def status_of(call, *args, **kwargs):
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **kwargs)
    return caught.value.code().name, caught.value.details()


def floats(*values):
    return np.array(values, np.float32)


def test_predict_answers_in_typed_fields_with_shape_and_spec(predict):
    response = predict({"x": floats(1, 2)})
    y = response.outputs["y"]
    assert list(y.float_val) == [2.5, 3.0]
    assert (y.tensor_content, [dim.size for dim in y.tensor_shape.dim]) == (b"", [2])
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("zoo", 1, "serving_default")


def test_a_scalar_has_a_shape_of_its_own(predict):
    total = predict({"x": floats(1, 2)}, signature_name="total").outputs["y"]
    assert total.HasField("tensor_shape")
    assert (list(total.tensor_shape.dim), list(total.float_val)) == ([], [3.0])


ECHOES = [
    ("float32", [1.5, -2], "float_val"), ("float64", [1.5], "double_val"), ("int32", [-3], "int_val"),
    ("int64", [2**60], "int64_val"), ("int16", [-3], "int_val"), ("int8", [-3], "int_val"), ("uint8", [200], "int_val"),
    ("uint32", [2**32 - 1], "uint32_val"), ("uint64", [2**64 - 1], "uint64_val"), ("bool", [True, False], "bool_val"),
    ("string", [b"a", b"\xff"], "string_val"), ("float16", [1.5], "half_val"), ("bfloat16", [1.5], "half_val"),
    ("uint16", [7], "int_val"), ("complex64", [1 + 2j], "scomplex_val"),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "values", "field"), ECHOES)
@pytest.mark.parametrize("as_content", [False, True])
def test_every_dtype_comes_back_as_it_went(api, predict, dtype, values, field, as_content):
    tf = api["tf"]
    sent = tf.make_tensor_proto(values, dtype=getattr(tf, dtype), shape=[1, len(values)])
    if as_content and dtype != "string":
        sent.tensor_content = tf.make_ndarray(sent).tobytes()
        sent.ClearField(field)
    got = predict({"x": sent}, signature_name=f"echo_{dtype}").outputs["y"]
    assert got.dtype == sent.dtype
    assert len(getattr(got, field)) >= 1
    assert [dim.size for dim in got.tensor_shape.dim] == [1, len(values)]
    assert tf.make_ndarray(got).tolist() == tf.make_ndarray(sent).tolist()


FILLED = [
    ("dtype: DT_FLOAT tensor_shape { dim { size: 3 } } float_val: 1 float_val: 2", [1, 2, 2]),
    ("dtype: DT_FLOAT tensor_shape { dim { size: 2 } }", [0, 0]),
    ("dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: 1 float_val: 2", [1]),
    ("dtype: DT_FLOAT tensor_shape { dim { size: 0 } }", []),
]


@pytest.mark.parametrize(("text", "values"), FILLED)
def test_too_few_values_are_repeated_and_surplus_ones_dropped(api, predict, text, values):
    proto = text_format.Parse(text, api["tf"].make_tensor_proto(0.0).__class__())
    got = predict({"x": proto}, signature_name="echo_float32").outputs["y"]
    assert list(got.float_val) == values


BROKEN = [
    "tensor_shape { dim { size: 1 } } float_val: 1",
    "dtype: DT_FLOAT tensor_shape { dim { size: -1 } } float_val: 1",
    "dtype: DT_FLOAT tensor_shape { unknown_rank: true } float_val: 1",
    "dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: '1234567'",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_tensor_is_named(api, predict, text):
    proto = text_format.Parse(text, api["tf"].make_tensor_proto(0.0).__class__())
    got = status_of(predict, {"x": proto}, signature_name="echo_float32")
    assert got == ("INVALID_ARGUMENT", "tensor parsing error: x")


WRONG = [
    ({"name": ""}, {"x": [1.0]}, (), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    ({"name": "none"}, {"x": [1.0]}, (), "NOT_FOUND", "Servable not found for request: Latest(none)"),
    ({"version": 2}, {"x": [1.0]}, (), "NOT_FOUND", "Servable not found for request: Specific(zoo, 2)"),
    ({"label": "nope"}, {"x": [1.0]}, (), "INVALID_ARGUMENT", "Unrecognized servable version label: nope"),
    ({"name": "none", "label": "a"}, {"x": [1.0]}, (), "INVALID_ARGUMENT", "Unrecognized servable version label: a"),
    ({"label": "broken"}, {"x": [1.0]}, (), "NOT_FOUND", "Servable not found for request: Specific(zoo, 77)"),
    ({"signature_name": "no"}, {"x": [1.0]}, (), "FAILED_PRECONDITION", 'Serving signature key "no" not found.'),
    (
        {}, {"a": [1.0], "b": [1.0]}, (), "INVALID_ARGUMENT",
        "2!=1 len({a,b}) != len({x}). Sent extra: {a,b}. Missing but required: {x}.",
    ),
    ({}, {}, (), "INVALID_ARGUMENT", "input size does not match signature: 0!=1 len({}) != len({x})."),
    ({}, {"z": [1.0]}, (), "INVALID_ARGUMENT", ""),
    ({}, {"x": [b"a"]}, (), "INVALID_ARGUMENT", "Expects arg[0] to be float but string is provided"),
    (
        {}, {"x": [1.0]}, ("z",), "INVALID_ARGUMENT",
        "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
    ),
    ({}, {"x": [1.0]}, ("y", "y"), "INVALID_ARGUMENT", "duplicate output tensor alias: y"),
    ({"signature_name": "matrix"}, {"x": [[1.0]]}, (), "INVALID_ARGUMENT", "Matrix size-incompatible"),
    ({"signature_name": "picky"}, {"x": [-1.0]}, (), "INVALID_ARGUMENT", "a negative row"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "inputs", "wanted", "code", "text"), WRONG)
def test_a_wrong_predict_has_its_status(api, predict, spec, inputs, wanted, code, text):
    protos = {
        n: api["tf"].make_tensor_proto(v, dtype=None if isinstance(v[0], bytes) else "float32")
        for n, v in inputs.items()
    }
    got = status_of(predict, protos, wanted, **spec)
    assert got[0] == code, got
    assert text in got[1]


def test_a_missing_spec_is_told(api, stub):
    for method, request in (
        ("Predict", "PredictRequest"), ("Classify", "ClassificationRequest"), ("Regress", "RegressionRequest"),
        ("GetModelMetadata", "GetModelMetadataRequest"),
    ):  # fmt: skip
        assert status_of(getattr(stub, method), api[request]())[1] == "Missing ModelSpec"


def test_a_filter_computes_only_what_it_names(predict):
    inputs = {"a": floats(1), "b": np.array([2])}
    assert list(predict(inputs, ["total"], signature_name="pair").outputs) == ["total"]


def test_a_long_message_is_cut(predict):
    code, text = status_of(predict, {"x": floats(1)}, ["z" * 5000])
    assert code == "INVALID_ARGUMENT"
    assert text.endswith("...TRUNCATED")
    assert len(text) == 1024 + len("...TRUNCATED")


def test_a_deadline_ends_the_wait(predict):
    assert status_of(predict, {"x": floats(1e5)}, signature_name="spin", timeout=0.05)[0] == "DEADLINE_EXCEEDED"


def test_a_message_of_many_megabytes_passes(zoo, api):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{zoo.server.grpc_port}", options=options) as channel:
        request = api["PredictRequest"]()
        fill_spec(request.model_spec, "zoo", "echo_float32")
        request.inputs["x"].CopyFrom(api["tf"].make_tensor_proto(np.zeros([2_000_000], np.float32)))
        response = api["PredictionServiceStub"](channel).Predict(request, timeout=60)
        assert len(response.outputs["y"].float_val) == 2_000_000


def example(**features):
    import tensorflow as tf

    made = tf.train.Example()
    for name, value in features.items():
        made.features.feature[name].float_list.value.append(value)
    return made


def test_classify_and_regress_answer_examples(api, stub):
    classify, regress = api["ClassificationRequest"](), api["RegressionRequest"]()
    fill_spec(classify.model_spec, "zoo", "classify")
    classify.input.example_list.examples.append(example(x=0.25))
    answer = stub.Classify(classify)
    assert [(c.label, c.score) for c in answer.result.classifications[0].classes] == [("yes", 0.25), ("no", 0.75)]
    assert answer.model_spec.signature_name == "classify"
    fill_spec(regress.model_spec, "zoo", "regress")
    given = regress.input.example_list_with_context
    given.context.CopyFrom(example(x=2.0))
    given.examples.extend([example(), example(other=1.0)])
    assert [r.value for r in stub.Regress(regress).result.regressions] == [4.0, 4.0]


@pytest.mark.parametrize(
    ("signature", "examples", "text"),
    [
        ("classify", 0, "Input is empty."), ("nope", 1, "No signature was found with the name: nope"),
        ("regress", 1, "Expected classification signature outputs"),
    ],
)  # fmt: skip
def test_a_wrong_classify_has_its_status(api, stub, signature, examples, text):
    request = api["ClassificationRequest"]()
    fill_spec(request.model_spec, "zoo", signature)
    request.input.example_list.examples.extend([example(x=1.0)] * examples)
    code, message = status_of(stub.Classify, request)
    assert (code, text in message) == ("INVALID_ARGUMENT", True)


def tasks(api, *wanted):
    request = api["MultiInferenceRequest"]()
    for name, signature, method in wanted:
        task = request.tasks.add(method_name=method)
        fill_spec(task.model_spec, name, signature)
    request.input.example_list.examples.append(example(x=0.25))
    return request


CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def test_multi_inference_answers_in_task_order(api, stub):
    request = tasks(api, ("zoo", "regress", REGRESS), ("zoo", "classify", CLASSIFY))
    first, second = stub.MultiInference(request).results
    assert [r.value for r in first.regression_result.regressions] == [0.5]
    assert second.classification_result.classifications[0].classes[0].label == "yes"
    assert (first.model_spec.signature_name, second.model_spec.version.value) == ("regress", 1)


@pytest.mark.parametrize(
    ("wanted", "code", "text"),
    [
        ([], "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ([("", "", REGRESS)], "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ([("zoo", "regress", REGRESS), ("half", "x", REGRESS)], "INVALID_ARGUMENT", "must access the same model name."),
        ([("zoo", "regress", REGRESS)] * 2, "INVALID_ARGUMENT", "Duplicate evaluation of signature: regress"),
        ([("zoo", "nope", REGRESS)], "INVALID_ARGUMENT", "Requested signature not found in model graph: nope"),
        ([("zoo", "regress", "other")], "UNIMPLEMENTED", "Unsupported signature method_name: other"),
    ],
)
def test_a_wrong_multi_inference_has_its_status(api, stub, wanted, code, text):
    got = status_of(stub.MultiInference, tasks(api, *wanted))
    assert (got[0], text in got[1]) == (code, True)


def test_metadata_is_a_packed_map(api, stub):
    request = api["GetModelMetadataRequest"]()
    fill_spec(request.model_spec, "zoo", label="stable")
    assert "at least one metadata_field" in status_of(stub.GetModelMetadata, request)[1]
    request.metadata_field.append("signature_def")
    response = stub.GetModelMetadata(request)
    found = api["SignatureDefMap"]()
    assert response.metadata["signature_def"].Unpack(found)
    assert found.signature_def["serving_default"].inputs["x"].name == "serving_default_x:0"
    assert response.model_spec.version.value == 1
    request.metadata_field.append("other")
    assert status_of(stub.GetModelMetadata, request)[1] == "Metadata field other is not supported"


def test_status_ignores_labels(api, zoo):
    stub = api["ModelServiceStub"](zoo.grpc)
    request = api["GetModelStatusRequest"]()
    fill_spec(request.model_spec, "zoo", label="nope")
    status = stub.GetModelStatus(request).model_version_status[0]
    assert (status.version, status.State.Name(status.state), status.status.error_code) == (1, "AVAILABLE", 0)
    fill_spec(request.model_spec, "none")
    assert status_of(stub.GetModelStatus, request)[0] == "NOT_FOUND"
    assert status_of(stub.GetModelStatus, api["GetModelStatusRequest"]())[1] == "Missing ModelSpec"


def test_health_and_reflection_answer(zoo):
    from google.protobuf import descriptor_pool
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    health = health_pb2_grpc.HealthStub(zoo.grpc)
    for name in ("", "PredictionService", "ModelService"):
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == 1
    found = ProtoReflectionDescriptorDatabase(zoo.grpc)
    assert {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"} <= set(found.get_services())
    service = descriptor_pool.DescriptorPool(found).FindServiceByName("tensorflow.serving.PredictionService")
    assert service.methods_by_name["Predict"].input_type.full_name == "tensorflow.serving.PredictRequest"


def test_other_services_are_not_there(zoo):
    call = zoo.grpc.unary_unary("/tensorflow.serving.SessionService/SessionRun")
    assert status_of(call, b"")[0] == "UNIMPLEMENTED"
