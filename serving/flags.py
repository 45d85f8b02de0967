"""The flags of tensorflow_model_server, with its spelling and defaults, and a few of our own.

Source: model_servers/main.cc. A flag is `--name=value` or `--name value`; a boolean one may stand alone.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any


def _flag(default: Any, text: str) -> Any:
    return field(default=default, metadata={"text": text})


@dataclass
class Values:
    """One field per flag."""

    help: bool = _flag(False, "print this and exit")
    version: bool = _flag(False, "print versions and exit")
    port: int = _flag(8500, "gRPC port; 0 for none")
    grpc_socket_path: str = _flag("", "UNIX socket for gRPC, may be used together with the port")
    rest_api_port: int = _flag(0, "HTTP port; 0 for none")
    rest_api_num_threads: int = _flag(4 * (os.cpu_count() or 1), "requests computed at the same time")
    rest_api_timeout_in_ms: int = _flag(30000, "a run of the graph that takes longer is cancelled")
    rest_api_enable_cors_support: bool = _flag(False, "add CORS headers")
    model_name: str = _flag("default", "name of the model; ignored with a config file")
    model_base_path: str = _flag("", "folder of versions; ignored with a config file")
    model_config_file: str = _flag("", "text ModelServerConfig")
    model_config_file_poll_wait_seconds: int = _flag(0, "read the config file again this often; 0: once")
    file_system_poll_wait_seconds: int = _flag(1, "look for versions this often; 0: once, negative: never")
    allow_version_labels_for_unavailable_models: bool = _flag(False, "a new label may point to a version not loaded")
    max_num_load_retries: int = _flag(5, "how often a failed load is tried again")
    load_retry_interval_micros: int = _flag(60_000_000, "wait between tries; negative: none")
    num_load_threads: int = _flag(0, "loads at the same time; 0 for our choice")
    num_unload_threads: int = _flag(0, "accepted; unloading holds up nothing here")
    enable_batching: bool | None = _flag(None, "join requests by TensorFlow Serving's rules; not given: join unseen")
    batching_parameters_file: str = _flag("", "text BatchingParameters; needs --enable_batching")
    enable_per_model_batching_parameters: bool = _flag(False, "accepted, has no effect")
    monitoring_config_file: str = _flag("", "text MonitoringConfig")
    ssl_config_file: str = _flag("", "text SSLConfig, for gRPC")
    enable_model_warmup: bool = _flag(True, "run a model's warm-up requests before it serves")
    num_request_iterations_for_warmup: int = _flag(1, "how often each of them is run")
    saved_model_tags: str = _flag("serve", "meta graph to load, comma-separated tags")
    enable_signature_method_name_check: bool = _flag(False, "classify and regress need signatures that say so")
    enable_grpc_healthcheck_service: bool = _flag(False, "add the gRPC health service")
    enable_serialization_as_tensor_content: bool = _flag(False, "gRPC outputs as tensor_content")
    grpc_channel_arguments: str = _flag("", "k=v,k=v")
    grpc_max_threads: int = _flag(4 * (os.cpu_count() or 1), "accepted, has no effect")
    tensorflow_session_parallelism: int = _flag(0, "intra-op and inter-op threads; 0: automatic")
    tensorflow_intra_op_parallelism: int = _flag(0, "intra-op threads; 0: automatic")
    tensorflow_inter_op_parallelism: int = _flag(0, "inter-op threads; 0: automatic")
    enable_profiler: bool = _flag(True, "accepted, has no effect")
    prefer_tflite_model: bool = _flag(False, "accepted, has no effect")
    flush_filesystem_caches: bool = _flag(True, "accepted, has no effect")
    host: str = _flag("127.0.0.1", "ours: address to listen on; 0.0.0.0 for all")
    max_body_mb: int = _flag(256, "ours: a longer REST body is answered with 413")
    max_rows: int = _flag(0, "ours: more rows in one REST request are refused; 0 for no limit")
    max_concurrent_requests: int = _flag(10_000, "ours: one more is answered with 503")
    drain_seconds: float = _flag(30.0, "ours: how long a stop waits for requests under way")
    access_log: str = _flag("", "ours: file for one line per REST request; - for standard error")
    rest_port_file: str = _flag(
        "", "ours: file to write the REST port to, once ready; --rest_api_port=-1 takes a free one"
    )
    port_file: str = _flag("", "ours: file to write the gRPC port to, once ready; --port=-1 takes a free one")
    quiet: bool = _flag(False, "ours: log warnings only")


_KINDS = {f.name: f.type for f in fields(Values)}
_TRUE, _FALSE = ("true", "1", "t", "yes", "y"), ("false", "0", "f", "no", "n")


def parse(arguments: Sequence[str]) -> tuple[Values, list[str]]:
    """Read a command line; later flags win.

    Returns:
        The values, and every argument that is no known flag or has no fitting value.
    """
    values, unknown = Values(), []
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        name, has_value, text = argument.lstrip("-").partition("=")
        kind = _KINDS.get(name)
        if not argument.startswith("-") or kind is None:
            unknown.append(argument)
            continue
        if not has_value and kind in (bool, bool | None):
            takes_next = bool(pending) and pending[0].lower() in _TRUE + _FALSE
            text = pending.pop(0) if takes_next else "true"
        elif not has_value:
            if not pending:
                unknown.append(argument)
                continue
            text = pending.pop(0)
        try:
            setattr(values, name, _convert(kind, text))
        except ValueError:
            unknown.append(argument if has_value else f"{argument} {text}")
    return values, unknown


def _convert(kind: Any, text: str) -> Any:
    if kind in (bool, bool | None):
        if text.lower() not in _TRUE + _FALSE:
            raise ValueError(text)
        return text.lower() in _TRUE
    return kind(text)


def describe() -> str:
    """The usage text."""
    lines = ["usage: slipway-model-server [flags]", "Flags:"]
    for flag in fields(Values):
        kind = getattr(flag.type, "__name__", "bool")
        lines.append(f"\t--{flag.name}={flag.default!r}\t{kind}\t{flag.metadata['text']}")
    return "\n".join(lines)
