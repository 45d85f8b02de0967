"""The models a server knows by name, version and label, and how its config may change while it runs.

Source: model_servers/server_core.cc.
"""

import logging
import threading
from typing import Any

from serving import model_config
from serving.errors import ServingError, invalid
from serving.servable import Servable
from serving.versions import Versions

log = logging.getLogger(__name__)


class Catalog:
    """Config, labels and versions together.

    Args:
        versions: keeps the models loaded.
        early_labels: a new label may point to a version that is not available
            (--allow_version_labels_for_unavailable_models).
    """

    def __init__(self, versions: Versions, *, early_labels: bool = False) -> None:
        self.versions = versions
        self._early_labels = early_labels
        self._reloading = threading.Lock()
        self._models: dict[str, Any] = {}
        self._labels: dict[str, dict[str, int]] = {}

    def model(self, name: str) -> Any:
        """The ModelConfig of a model, or None."""
        return self._models.get(name)

    def acquire(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """Take a version into use; the caller must release it.

        Raises:
            ServingError: INVALID_ARGUMENT for no name or an unknown label, NOT_FOUND.
        """
        if not name:
            raise invalid("ModelSpec has no name specified.")
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        return self.versions.acquire(name, version)

    def reload(self, config: Any, *, wait: bool = False, timeout_s: float | None = None) -> None:
        """Put a config in the place of the one in force.

        Args:
            config: ModelServerConfig.
            wait: return only when every new model has a version available, or has failed.
            timeout_s: the longest to wait.

        Raises:
            ServingError: the config breaks a rule; or, UNKNOWN, a new model could not be loaded.
        """
        with self._reloading:
            models = model_config.check(config, self._models)
            fresh = set(models) - set(self._models)
            self._check_platforms_of(models, fresh)
            self._models = models
            self._labels = self._checked_labels(models)
            self.versions.set_models(models)
        if wait and fresh:
            self.wait_for(fresh, "model", timeout_s)

    def wait_for(self, names: set[str], what: str, timeout_s: float | None = None) -> None:
        """Wait for models; raises ServingError (UNKNOWN) with those that did not become available."""
        failed = self.versions.wait_until_settled(names, timeout_s)
        if failed:
            listed = ", ".join(f"{{{name} due to error: {error}}}" for name, error in failed.items())
            raise ServingError("UNKNOWN", f"{len(failed)} {what}(s) did not become available: {{{listed}}}")

    def _check_platforms_of(self, models: dict[str, Any], fresh: set[str]) -> None:
        for name in sorted(models, key=lambda name: name in fresh):
            model_config.platform(models[name])
        model_config.check_platforms(models)

    def _checked_labels(self, models: dict[str, Any]) -> dict[str, dict[str, int]]:
        checked: dict[str, dict[str, int]] = {}
        for name, model in models.items():
            old = self._labels.get(name, {})
            for label, version in model.version_labels.items():
                known = label in old
                moved = not known or old[label] != version
                may_be_early = self._early_labels and not known
                if moved and not may_be_early and not self.versions.is_available(name, version):
                    raise ServingError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {version} of model {name}, "
                        "which is not currently available for inference",
                    )
            checked[name] = dict(model.version_labels)
        return checked
