"""One version of one model: its state, and who is using it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.errors import ServingError

if TYPE_CHECKING:
    from serving.predictor import Predictor

# ModelVersionStatus.State, by name. Source: apis/get_model_status.proto.
STATES = {"UNKNOWN": 0, "START": 10, "LOADING": 20, "AVAILABLE": 30, "UNLOADING": 40, "END": 50}


class Servable:
    """A loaded version. A use starts with acquire and ends with release; after retire, the last release closes it."""

    def __init__(self, name: str, version: int, predictor: "Predictor") -> None:
        self.name = name
        self.version = version
        self.predictor = predictor
        self.queues: dict[str, Any] = {}  # signature name -> batching queue
        self._lock = threading.Lock()
        self._uses = 0
        self._on_idle: Callable[[], object] | None = None

    def acquire(self) -> bool:
        """Start a use; False when the version has been retired."""
        with self._lock:
            if self._on_idle is not None:
                return False
            self._uses += 1
            return True

    def share(self) -> None:
        """Start another use, by someone who holds one already; so it cannot fail."""
        with self._lock:
            self._uses += 1

    def release(self) -> None:
        """End a use."""
        with self._lock:
            self._uses -= 1
            done = self._on_idle if self._uses == 0 else None
        if done is not None:
            done()

    def retire(self, on_idle: Callable[[], object]) -> None:
        """Refuse new uses, and call `on_idle` once, when the last one has ended."""
        with self._lock:
            self._on_idle = on_idle
            idle = self._uses == 0
        if idle:
            on_idle()


class VersionRecord:
    """What is known of one version, for as long as the server runs.

    Attributes:
        state: a key of STATES.
        error: why the last load failed; None when it did not.
        retry_at: monotonic time in seconds of the next try to load; only while a failed load is to be tried again.
    """

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.path = path
        self.restart()

    def restart(self) -> None:
        """Back to the beginning, as for a version never seen."""
        self.state = "START"
        self.error: ServingError | None = None
        self.servable: Servable | None = None
        self.attempts = 0
        self.retry_at: float | None = None
        self.failed_files: Any = None
        self.was_absent = False
