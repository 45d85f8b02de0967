"""The services, described for gRPC reflection.

tensorflow-serving-api's own service modules do not import under today's protobuf, so the services are described here,
and the messages they refer to are taken from the modules that do import.
"""

from importlib import import_module

from google.protobuf import descriptor_pb2, descriptor_pool

_APIS = "tensorflow_serving/apis/"
# service -> method -> (file of the messages, request, response)
SERVICES: dict[str, dict[str, tuple[str, str, str]]] = {
    "PredictionService": {
        "Classify": ("classification", "ClassificationRequest", "ClassificationResponse"),
        "Regress": ("regression", "RegressionRequest", "RegressionResponse"),
        "Predict": ("predict", "PredictRequest", "PredictResponse"),
        "MultiInference": ("inference", "MultiInferenceRequest", "MultiInferenceResponse"),
        "GetModelMetadata": ("get_model_metadata", "GetModelMetadataRequest", "GetModelMetadataResponse"),
    },
    "ModelService": {
        "GetModelStatus": ("get_model_status", "GetModelStatusRequest", "GetModelStatusResponse"),
        "HandleReloadConfigRequest": ("model_management", "ReloadConfigRequest", "ReloadConfigResponse"),
    },
}


def descriptors() -> descriptor_pool.DescriptorPool:
    """A pool of all services, with everything they refer to."""
    from grpc_health.v1 import health_pb2
    from grpc_reflection.v1alpha import reflection_pb2

    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    _copy(health_pb2.DESCRIPTOR.name, pool, added)
    _copy(reflection_pb2.DESCRIPTOR.name, pool, added)
    for service, methods in SERVICES.items():
        pool.Add(_file(service, methods, pool, added))
    return pool


def _file(
    service: str, methods: dict[str, tuple[str, str, str]], pool: descriptor_pool.DescriptorPool, added: set[str]
) -> descriptor_pb2.FileDescriptorProto:
    name = f"{_APIS}{'model' if service == 'ModelService' else 'prediction'}_service.proto"
    file = descriptor_pb2.FileDescriptorProto(name=name, package="tensorflow.serving", syntax="proto3")
    described = file.service.add(name=service)
    for method, (messages, request, response) in methods.items():
        import_module(f"tensorflow_serving.apis.{messages}_pb2")
        _copy(f"{_APIS}{messages}.proto", pool, added)
        file.dependency.append(f"{_APIS}{messages}.proto")
        described.method.add(
            name=method, input_type=f".tensorflow.serving.{request}", output_type=f".tensorflow.serving.{response}"
        )
    return file


def _copy(name: str, pool: descriptor_pool.DescriptorPool, added: set[str]) -> None:
    """Copy a file that is registered already, after what it depends on."""
    if name in added:
        return
    added.add(name)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor_pool.Default().FindFileByName(name).CopyToProto(proto)
    for dependency in proto.dependency:
        _copy(dependency, pool, added)
    pool.Add(proto)
