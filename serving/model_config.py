"""The ModelServerConfig: which models are served, read from flags or a text file, and the rules a change must keep.

Source: model_servers/server_core.cc and config/model_server_config.proto.
"""

from pathlib import Path
from typing import Any

from serving import text_config
from serving.errors import ServingError, invalid

_PLATFORM = "tensorflow"


def empty() -> Any:
    """A ModelServerConfig proto."""
    from tensorflow_serving.config import model_server_config_pb2

    return model_server_config_pb2.ModelServerConfig()


def single(name: str, base_path: str) -> Any:
    """The config that --model_name and --model_base_path stand for."""
    config = empty()
    config.model_config_list.config.add(name=name, base_path=base_path, model_platform=_PLATFORM)
    return config


def read(path: str | Path) -> Any:
    """Parse a text-format file.

    Raises:
        ServingError: NOT_FOUND or INVALID_ARGUMENT.
    """
    return text_config.read(path, empty())


def check(config: Any, served: dict[str, Any]) -> dict[str, Any]:
    """Check a new config against the models already served.

    Args:
        config: ModelServerConfig.
        served: ModelConfig by name, of the config in force; empty at start.

    Returns:
        ModelConfig by name.

    Raises:
        ServingError: FAILED_PRECONDITION for another type of config, otherwise INVALID_ARGUMENT.
    """
    kind = config.WhichOneof("config")
    if kind == "custom_model_config" or (kind is None and served):
        raise ServingError(
            "FAILED_PRECONDITION",
            "Cannot transition to requested config. It is only legal to transition from one ModelConfigList to "
            "another.",
        )
    models: dict[str, Any] = {}
    for model in config.model_config_list.config:
        if model.name in models:
            raise invalid(f"Illegal to list model {model.name} multiple times in config list")
        models[model.name] = model
    for name, model in models.items():
        if not model.base_path.startswith("/") and "://" not in model.base_path:
            raise invalid(f"Expected model {name} to have an absolute path or URI; got base_path()={model.base_path}")
    for name, model in models.items():
        if name in served and platform(model) != platform(served[name]):
            raise invalid(f"Illegal to change a model's platform. For model {name}")
    return models


def platform(model: Any) -> str:
    """The platform of a ModelConfig; raises ServingError when it names none or two."""
    if model.model_type and model.model_platform:
        raise invalid(f"Illegal setting both model_type(deprecated) and model_platform for model {model.name}")
    if not model.model_type and not model.model_platform:
        raise invalid(f"Illegal setting neither model_type(deprecated) nor model_platform for model {model.name}")
    return model.model_platform or _PLATFORM


def check_platforms(models: dict[str, Any]) -> None:
    """Refuse platforms other than TensorFlow's; raises ServingError (INVALID_ARGUMENT)."""
    for name, model in models.items():
        if platform(model) != _PLATFORM:
            raise invalid(f"Model {name} requests unsupported platform {platform(model)}")
