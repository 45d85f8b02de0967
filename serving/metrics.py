"""Counters and histograms in Prometheus text, under TensorFlow Serving's names.

Source: util/prometheus_exporter.cc, servables/tensorflow/util.cc; buckets from tensorflow/core/lib/monitoring.
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

DEFAULT_PATH = "/monitoring/prometheus/metrics"
_PREFIX = "/tensorflow/serving/"
_BOUNDS = tuple(10 * 1.8**power for power in range(33))
_MOST_SERIES = 10_000  # a client that invents names must not fill the memory
Labels = tuple[str, ...]


@dataclass
class _Histogram:
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: float = 0.0

    def add(self, value: float) -> None:
        self.buckets[bisect_left(_BOUNDS, value)] += 1
        self.total += value


_NAMES: dict[str, Labels] = {
    "request_count": ("model_name", "status"),
    "request_latency": ("model_name", "API", "entrypoint"),
    "runtime_latency": ("model_name", "API", "runtime"),
    "request_example_counts": ("model",),
    "request_example_count_total": ("model",),
    "model_warmup_latency": ("model_path", "status"),
    "model_warmup_records_read": ("model_path", "status"),
    "request_log_count": ("model_name", "status"),
    "mlmd_map": ("model_name", "version", "mlmd_uuid"),
}


class Metrics:
    """All metrics of one server; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, dict[Labels, int]] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}
        self._gauges: list[Callable[[], Iterable[tuple[str, dict[str, str], float]]]] = []

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to a counter; `labels` are the values for the names listed above."""
        with self._lock:
            series = self._counters.setdefault(name, {})
            if labels not in series and len(series) >= _MOST_SERIES:
                return
            series[labels] = series.get(labels, 0) + by

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add a value to a histogram; latencies are in microseconds."""
        with self._lock:
            series = self._histograms.setdefault(name, {})
            found = series.get(labels)
            if found is None:
                if len(series) >= _MOST_SERIES:
                    return
                found = series[labels] = _Histogram()
            found.add(value)

    def add_gauges(self, read: Callable[[], Iterable[tuple[str, dict[str, str], float]]]) -> None:
        """Register a function that yields (name, labels, value) when the metrics are read."""
        self._gauges.append(read)

    def value(self, name: str, *labels: str) -> int:
        """A counter's value now."""
        return self._counters.get(name, {}).get(labels, 0)

    def totals(self) -> dict[str, int]:
        """The sum of each counter, by its slash-separated name."""
        with self._lock:
            return {_PREFIX + name: sum(series.values()) for name, series in self._counters.items()}

    def text(self) -> str:
        """Prometheus' text format; every line ends in a newline."""
        with self._lock:
            lines = [line for name, series in sorted(self._counters.items()) for line in _counter(name, series)]
            for name, histograms in sorted(self._histograms.items()):
                lines += _histogram(name, histograms)
        for read in self._gauges:
            for name, labels, value in read():
                full = _name(_PREFIX + name)
                lines += [f"# TYPE {full} gauge", f"{full}{{{_labels(labels)}}} {value:g}"]
        return "".join(line + "\n" for line in lines)


def _counter(name: str, series: dict[Labels, int]) -> list[str]:
    full = _name(_PREFIX + name)
    lines = [f"# TYPE {full} counter"]
    for values, count in series.items():
        lines.append(f"{full}{{{_labels(dict(zip(_NAMES[name], values, strict=True)))}}} {count}")
    return lines


def _histogram(name: str, series: dict[Labels, _Histogram]) -> list[str]:
    full = _name(_PREFIX + name)
    lines = [f"# TYPE {full} histogram"]
    for values, histogram in series.items():
        labels = _labels(dict(zip(_NAMES[name], values, strict=True)))
        comma = "," if labels else ""
        running = 0
        for bound, count in zip((*_BOUNDS, None), histogram.buckets, strict=True):
            running += count
            le = "+Inf" if bound is None else f"{bound:g}"
            lines.append(f'{full}_bucket{{{labels}{comma}le="{le}"}} {running}')
        lines.append(f"{full}_sum{{{labels}}} {histogram.total:g}")
        lines.append(f"{full}_count{{{labels}}} {running}")
    return lines


def _name(path: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_]", ":", path)
    return "_" + name if name[:1].isdigit() else name


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{re.sub("[^a-zA-Z0-9_]", "_", key)}="{_escape(value)}"' for key, value in labels.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
