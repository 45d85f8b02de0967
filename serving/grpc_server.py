"""The gRPC side: services, health, reflection, TLS and ports. Source: model_servers/server.cc."""

from dataclasses import dataclass
from typing import Any

from serving.grpc_admin import ModelService
from serving.grpc_predict import PredictionService
from serving.grpc_services import SERVICES, descriptors

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class GrpcOptions:
    """Where gRPC listens, and with what.

    Attributes:
        address: 'host:port', or '' for none; port 0 takes a free one.
        socket_path: a UNIX socket, or ''.
        health: add the health service.
        ssl: an SSLConfig proto, or None for plain text.
        channel_arguments: 'k=v,k=v'.
    """

    address: str = ""
    socket_path: str = ""
    health: bool = False
    ssl: Any = None
    channel_arguments: str = ""


async def start(prediction: PredictionService, model: ModelService, options: GrpcOptions) -> tuple[Any, int]:
    """Start a server in the running event loop.

    Returns:
        The grpc.aio.Server and the port it listens on, 0 if only a UNIX socket.

    Raises:
        OSError: the port is taken.
    """
    import grpc
    from grpc import aio
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    limits = [("grpc.max_receive_message_length", _INT32_MAX), ("grpc.max_send_message_length", _INT32_MAX)]
    server = aio.server(options=[*limits, *_arguments(options.channel_arguments)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(prediction, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(model, server)
    if options.health:
        await _add_health(server)
    _add_reflection(server, options.health)
    port = 0
    credentials = _credentials(grpc, options.ssl) if options.ssl is not None else None
    try:
        if options.address:
            port = _listen(server, options.address, credentials)
        if options.socket_path:
            _listen(server, f"unix:{options.socket_path}", None)
    except RuntimeError as error:
        raise OSError(f"gRPC cannot listen on {options.address or options.socket_path}: {error}") from None
    await server.start()
    return server, port


def _listen(server: Any, address: str, credentials: Any) -> int:
    return server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)


def _arguments(text: str) -> list[tuple[str, Any]]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    return [(key, int(value) if value.lstrip("-").isdigit() else value) for key, _, value in pairs]


def _credentials(grpc: Any, config: Any) -> Any:
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


async def _add_health(server: Any) -> None:
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    servicer = health.aio.HealthServicer()
    for name in ("", "ModelService", "PredictionService"):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)


def _add_reflection(server: Any, with_health: bool) -> None:
    from grpc_reflection.v1alpha import reflection

    names = [f"tensorflow.serving.{service}" for service in SERVICES]
    names += ["grpc.health.v1.Health"] if with_health else []
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server, pool=descriptors())
