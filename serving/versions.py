"""The life of versions: which are loaded and unloaded, in what order, and who answers a request.

One thread looks at the disk and decides; loads run on threads of their own, so that a broken version holds up no other.
A new version is loaded before the old one is unloaded. Source: core/aspired_versions_manager.cc,
core/availability_preserving_policy.cc, sources/storage_path/file_system_storage_path_source.cc.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from serving import storage
from serving.errors import ServingError, from_exception, invalid
from serving.servable import Servable, VersionRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LifePolicy:
    """How versions are looked for and loaded; the names are those of the flags.

    Attributes:
        poll_s: seconds between looks at the disk; 0 looks once, negative never.
        max_load_retries: how often a failed load is tried again.
        retry_interval_s: seconds between tries; changed files are tried at once.
        load_threads: loads at the same time.
    """

    poll_s: float = 1.0
    max_load_retries: int = 5
    retry_interval_s: float = 60.0
    load_threads: int = 2


class Versions:
    """Keeps the wanted versions of all models loaded.

    Args:
        load: turns (model name, number, path) into a Servable, warmed up; raises when it cannot.
        policy: see LifePolicy.
    """

    def __init__(self, load: Callable[[str, int, Path], Servable], policy: LifePolicy) -> None:
        self._load, self._policy = load, policy
        self._models: dict[str, Any] = {}
        self._records: dict[str, dict[int, VersionRecord]] = {}
        self._wanted: dict[str, dict[int, Path]] = {}
        self._available: dict[str, dict[int, Servable]] = {}
        self._changed = threading.Condition()  # guards everything above
        self._wake = threading.Event()
        self._stopping = False
        self._look_at_disk = True
        self._loaders = ThreadPoolExecutor(max(1, policy.load_threads), "load")
        self._unloaders = ThreadPoolExecutor(1, "unload")
        self._thread = threading.Thread(target=self._run, name="versions", daemon=True)

    def start(self) -> None:
        """Start looking at the disk."""
        self._thread.start()

    def set_models(self, models: dict[str, Any]) -> None:
        """Replace the models; `models` are ModelConfig protos by name."""
        with self._changed:
            self._models = dict(models)
            self._look_at_disk = True
        self._wake.set()

    def acquire(self, name: str, version: int | None = None) -> Servable:
        """Take a version into use; the caller must release it.

        Raises:
            ServingError: NOT_FOUND.
        """
        while True:
            available = self._available.get(name)
            if available and version is None:
                servable = available.get(max(available))
            else:
                servable = available.get(version) if available and version is not None else None
            if servable is None:
                asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise ServingError("NOT_FOUND", f"Servable not found for request: {asked}")
            if servable.acquire():
                return servable

    def is_available(self, name: str, version: int) -> bool:
        return version in self._available.get(name, {})

    def status(self, name: str, version: int | None = None) -> list[tuple[int, str, ServingError | None]]:
        """Number, state and error of every version ever seen, newest first; of one if `version` is given.

        Raises:
            ServingError: NOT_FOUND.
        """
        with self._changed:
            records = self._records.get(name, {})
            found = [(r.number, r.state, r.error) for r in records.values() if version in (None, r.number)]
        if not found and version is not None and records:
            raise ServingError("NOT_FOUND", f"Could not find version {version} of model {name}")
        if not found:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {name}")
        return sorted(found, reverse=True, key=lambda item: item[0])

    def wait_until_settled(self, names: set[str], timeout_s: float | None = None) -> dict[str, ServingError]:
        """Wait until each model has a version that is available or has failed for good.

        Returns:
            The error of each model that has none available; none once it is given up, which is no model's failure.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or all(map(self._settled, names)), timeout_s)
            if self._stopping:
                return {}
            return {name: self._failure(name) for name in sorted(names) if not self._available.get(name)}

    def give_up(self) -> None:
        """Look at the disk no more, and let nobody wait for a model."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._wake.set()

    def stop(self) -> None:
        """Give up, and retire what is loaded; waits for loads under way."""
        self.give_up()
        if self._thread.is_alive():
            self._thread.join()
        self._loaders.shutdown(wait=True, cancel_futures=True)
        for name, records in self._records.items():
            for record in records.values():
                if record.state == "AVAILABLE":
                    self._unload(name, record)
        self._unloaders.shutdown(wait=True)

    def _settled(self, name: str) -> bool:
        return any(r.state in ("AVAILABLE", "END") for r in self._records.get(name, {}).values())

    def _failure(self, name: str) -> ServingError:
        failed = [r.error for r in self._records.get(name, {}).values() if r.error]
        return failed[-1] if failed else ServingError("UNKNOWN", "no version found")

    def _run(self) -> None:
        next_look = 0.0
        while not self._stopping:
            self._wake.clear()
            now = time.monotonic()
            try:
                if self._look_at_disk or (self._policy.poll_s > 0 and now >= next_look):
                    self._look_at_disk = False
                    next_look = now + self._policy.poll_s
                    self._look()
                self._plan()
            except Exception:
                log.exception("looking after the versions failed; trying again")
            self._wake.wait(self._pause(next_look))

    def _pause(self, next_look: float) -> float | None:
        """Seconds until there is something to do."""
        due = [next_look] if self._policy.poll_s > 0 else []
        due += [r.retry_at for records in self._records.values() for r in records.values() if r.retry_at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _look(self) -> None:
        """Read the disk into self._wanted; a base path that cannot be listed leaves its model as it is."""
        if self._policy.poll_s < 0:
            return
        models = self._models
        wanted = {name: self._wanted.get(name, {}) for name in models}
        for name, model in models.items():
            try:
                present = storage.list_versions(model.base_path)
            except OSError as error:
                log.warning("%s: cannot list %s: %s", name, model.base_path, error.strerror)
                continue
            chosen = storage.wanted(model.model_version_policy, present)
            wanted[name] = {number: present[number] for number in chosen}
        with self._changed:
            self._wanted = wanted

    def _plan(self) -> None:
        for name in {*self._records, *self._wanted}:
            wanted = self._wanted.get(name, {})
            with self._changed:
                records = self._records.setdefault(name, {}) if wanted else self._records.get(name, {})
                for number in sorted(wanted, reverse=True):
                    self._start_load(name, records, number, wanted[number])
                for record in self._to_unload(records, wanted):
                    self._unload(name, record)

    def _start_load(self, name: str, records: dict[int, VersionRecord], number: int, path: Path) -> None:
        record = records.get(number)
        if record is None:
            record = records[number] = VersionRecord(number, path)
        elif record.state == "END" and (record.was_absent or self._has_new_files(record, path)):
            record.path = path
            record.restart()
        elif record.retry_at is not None:
            if time.monotonic() < record.retry_at and not self._has_new_files(record, path):
                return
            record.retry_at = None
            record.state = "START"
        if record.state == "START":
            record.state = "LOADING"
            self._loaders.submit(self._load_one, name, record)

    @staticmethod
    def _has_new_files(record: VersionRecord, path: Path) -> bool:
        return record.failed_files is not None and record.failed_files != storage.fingerprint(path)

    @staticmethod
    def _to_unload(records: dict[int, VersionRecord], wanted: dict[int, Path]) -> list[VersionRecord]:
        """Versions that may go: none is wanted, or a wanted one is ready, or another unwanted one still serves."""
        for record in records.values():
            if record.number not in wanted:
                record.was_absent = True
                record.retry_at = None
                if record.state == "START" or (record.state == "LOADING" and record.error):
                    record.state = "END"
        unwanted = [r for r in records.values() if r.number not in wanted and r.state == "AVAILABLE"]
        unwanted.sort(key=lambda r: r.number)
        ready = any(r.state == "AVAILABLE" for r in records.values() if r.number in wanted)
        return unwanted if ready or not wanted else unwanted[:-1]

    def _load_one(self, name: str, record: VersionRecord) -> None:
        if self._stopping:
            return
        files = storage.fingerprint(record.path)
        try:
            log.info("%s: loading version %d from %s", name, record.number, record.path)
            servable = self._load(name, record.number, record.path)
        except Exception as failure:  # noqa: BLE001  (kept, and shown by the status)
            self._load_failed(name, record, from_exception(failure), files)
        else:
            with self._changed:
                record.servable, record.error, record.state = servable, None, "AVAILABLE"
                record.retry_at = record.failed_files = None
                self._available[name] = {**self._available.get(name, {}), record.number: servable}
                self._changed.notify_all()
            log.info("%s: version %d is available", name, record.number)
        self._wake.set()

    def _load_failed(self, name: str, record: VersionRecord, error: ServingError, files: Any) -> None:
        with self._changed:
            record.error, record.failed_files = error, files
            record.attempts += 1
            if record.attempts > self._policy.max_load_retries:
                record.state = "END"
            else:
                record.retry_at = time.monotonic() + max(0.0, self._policy.retry_interval_s)
            self._changed.notify_all()
        log.error("%s: version %d did not load: %s", name, record.number, error)

    def _unload(self, name: str, record: VersionRecord) -> None:
        servable = record.servable
        if servable is None:
            raise invalid(f"{name}: version {record.number} is not loaded")
        record.state, record.servable = "UNLOADING", None
        self._available[name] = {n: s for n, s in self._available.get(name, {}).items() if n != record.number}
        log.info("%s: unloading version %d", name, record.number)
        servable.retire(partial(self._unloaders.submit, self._close, name, record, servable))

    def _close(self, name: str, record: VersionRecord, servable: Servable) -> None:
        servable.predictor.close()
        with self._changed:
            if record.state == "UNLOADING":
                record.state = "END"
            self._changed.notify_all()
        log.info("%s: version %d is unloaded", name, record.number)
        self._wake.set()
