"""From flags to what the server is built from, with TensorFlow Serving's start-up checks. Source: server.cc."""

import logging
import sys
from collections.abc import Callable

from serving import batching_options, model_config, text_config
from serving.batching_options import BatchingOptions
from serving.errors import invalid
from serving.flags import Values
from serving.grpc_server import GrpcOptions
from serving.http_server import HttpOptions
from serving.loading import LoadOptions
from serving.metrics import DEFAULT_PATH
from serving.server import ServerOptions
from serving.versions import LifePolicy

log = logging.getLogger(__name__)


def to_options(values: Values) -> ServerOptions:
    """Check the flags together and read the files they name.

    Raises:
        ServingError: they contradict each other, or a file is missing or wrong.
    """
    if not values.model_base_path and not values.model_config_file:
        raise invalid("Both server_options.model_base_path and server_options.model_config_file are empty!")
    if values.port == 0 and not values.grpc_socket_path:
        raise invalid("At least one of server_options.grpc_port or server_options.grpc_socket_path must be set.")
    return ServerOptions(
        models=None if values.model_config_file else model_config.single(values.model_name, values.model_base_path),
        config_file=values.model_config_file,
        config_poll_s=values.model_config_file_poll_wait_seconds,
        host=values.host,
        rest_port=_rest_port(values),
        rest_threads=max(1, values.rest_api_num_threads),
        grpc=_grpc(values),
        http=HttpOptions(
            cors=values.rest_api_enable_cors_support,
            max_body_bytes=values.max_body_mb * 2**20,
            max_waiting=values.max_concurrent_requests,
            access_log=_access_log(values.access_log),
        ),
        load=_load(values),
        life=LifePolicy(
            poll_s=values.file_system_poll_wait_seconds,
            max_load_retries=values.max_num_load_retries,
            retry_interval_s=values.load_retry_interval_micros / 1e6,
            load_threads=values.num_load_threads or 2,
        ),
        batching=_batching(values),
        metrics_path=_metrics_path(values),
        early_labels=values.allow_version_labels_for_unavailable_models,
        check_method_name=values.enable_signature_method_name_check,
        as_content=values.enable_serialization_as_tensor_content,
        max_rows=values.max_rows,
        drain_s=values.drain_seconds,
    )


def _rest_port(values: Values) -> int | None:
    if values.rest_api_port == 0:
        return None
    if values.rest_api_port == values.port > 0:
        log.error("--rest_api_port is the same as --port, got %d; REST is not started", values.port)
        return None
    return max(0, values.rest_api_port)


def _grpc(values: Values) -> GrpcOptions:
    ssl = text_config.read(values.ssl_config_file, "SSLConfig") if values.ssl_config_file else None
    host = f"[{values.host}]" if ":" in values.host else values.host
    return GrpcOptions(
        address=f"{host}:{max(0, values.port)}" if values.port else "",
        socket_path=values.grpc_socket_path,
        health=values.enable_grpc_healthcheck_service,
        ssl=ssl,
        channel_arguments=values.grpc_channel_arguments,
    )


def _load(values: Values) -> LoadOptions:
    both = values.tensorflow_session_parallelism
    intra, inter = values.tensorflow_intra_op_parallelism, values.tensorflow_inter_op_parallelism
    if both and (intra or inter):
        raise invalid(
            "Either configure tensorflow_session_parallelism or (tensorflow_intra_op_parallelism and "
            "tensorflow_inter_op_parallelism) separately. You cannot configure all."
        )
    return LoadOptions(
        tags=tuple(tag for tag in values.saved_model_tags.split(",") if tag),
        timeout_s=values.rest_api_timeout_in_ms / 1e3,
        threads=(both or intra, both or inter),
        warm_up=values.enable_model_warmup,
        iterations=values.num_request_iterations_for_warmup,
    )


def _batching(values: Values) -> BatchingOptions:
    if values.batching_parameters_file and not values.enable_batching:
        raise invalid(
            "server_options.batching_parameters_file is set without setting server_options.enable_batching to true."
        )
    if values.enable_batching is None:
        return BatchingOptions()
    if not values.enable_batching:
        return BatchingOptions(max_batch_size=0)
    if values.batching_parameters_file:
        return batching_options.read(values.batching_parameters_file)
    return batching_options.strict_defaults()


def _metrics_path(values: Values) -> str | None:
    if not values.monitoring_config_file:
        return DEFAULT_PATH
    config = text_config.read(values.monitoring_config_file, "MonitoringConfig").prometheus_config
    return (config.path or DEFAULT_PATH) if config.enable else None


def _access_log(path: str) -> Callable[[str, str, int, int, float], None] | None:
    if not path:
        return None
    file = sys.stderr if path == "-" else open(path, "a", buffering=1)  # noqa: SIM115  (open as long as the server runs)

    def write(method: str, target: str, status: int, size: int, seconds: float) -> None:
        file.write(f"{method} {target} {status} {size} {seconds * 1e3:.3f}ms\n")

    return write
