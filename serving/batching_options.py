"""How requests are joined: our defaults, or TensorFlow Serving's batching parameters file."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving import text_config
from serving.errors import invalid


@dataclass(frozen=True)
class BatchingOptions:
    """Limits of joining; the names are those of BatchingParameters, with units.

    Attributes:
        strict: TensorFlow Serving's rules (--enable_batching): a request that breaks one is refused. Otherwise joining
            is invisible: what does not fit runs alone.
        max_batch_size: rows.
        batch_timeout_s: the longest that the first request of a batch waits for others; in strict mode for a full
            batch, otherwise for as many as were under way lately.
        max_enqueued_batches: a queue longer than this many full batches refuses; strict only.
        num_batch_threads: batches computed at the same time.
        allowed_batch_sizes: batches are padded up to one of these sizes; empty for any size.
        enable_large_batch_splitting: split a request above max_batch_size instead of refusing it; strict only.
        max_execution_batch_size: rows of the pieces; 0 stands for max_batch_size.
    """

    strict: bool = False
    max_batch_size: int = 1024
    batch_timeout_s: float = 0.002
    max_enqueued_batches: int = 10
    num_batch_threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    allowed_batch_sizes: tuple[int, ...] = ()
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0

    @property
    def piece_size(self) -> int:
        """Rows that are computed at once."""
        return self.max_execution_batch_size or self.max_batch_size


def read(path: str | Path) -> BatchingOptions:
    """Parse a text-format BatchingParameters file.

    Raises:
        ServingError: the file is missing or wrong, or allowed_batch_sizes does not rise to max_batch_size.
    """
    return _options(text_config.read(path, "BatchingParameters"))


def strict_defaults() -> BatchingOptions:
    """What --enable_batching means without a file."""
    return _options(text_config.new("BatchingParameters"))


def _options(proto: Any) -> BatchingOptions:
    def value(name: str, default: int) -> int:
        return getattr(proto, name).value if proto.HasField(name) else default

    options = BatchingOptions(
        strict=True,
        max_batch_size=value("max_batch_size", 1000),
        batch_timeout_s=value("batch_timeout_micros", 0) / 1e6,
        max_enqueued_batches=value("max_enqueued_batches", 10),
        num_batch_threads=value("num_batch_threads", os.cpu_count() or 1),
        allowed_batch_sizes=tuple(proto.allowed_batch_sizes),
        enable_large_batch_splitting=bool(value("enable_large_batch_splitting", 0)),
        max_execution_batch_size=value("max_execution_batch_size", 0),
    )
    sizes = options.allowed_batch_sizes
    if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != options.piece_size):
        raise invalid(
            "allowed_batch_sizes entries must be monotonically increasing, and the last one must equal the largest "
            f"batch, got {list(sizes)}; the largest batch is {options.piece_size}"
        )
    for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
        if getattr(options, name) < 1:
            raise invalid(f"{name}: must be positive, got {getattr(options, name)}")
    return options
