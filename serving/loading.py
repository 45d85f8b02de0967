"""From a version's folder to a servable that has run its warm-up requests."""

import time
from dataclasses import dataclass
from pathlib import Path

from serving import warmup
from serving.errors import ServingError
from serving.metrics import Metrics
from serving.predictor import Predictor
from serving.servable import Servable


@dataclass(frozen=True)
class LoadOptions:
    """How models are loaded; the names are those of the flags.

    Attributes:
        tags: --saved_model_tags.
        timeout_s: a run that takes longer is cancelled.
        threads: intra-op and inter-op threads, 0 for TensorFlow's choice.
        warm_up: --enable_model_warmup.
        iterations: --num_request_iterations_for_warmup.
    """

    tags: tuple[str, ...] = ("serve",)
    timeout_s: float = 30.0
    threads: tuple[int, int] = (0, 0)
    warm_up: bool = True
    iterations: int = 1


def load(name: str, number: int, path: Path, options: LoadOptions, metrics: Metrics) -> Servable:
    """Load one version.

    Raises:
        ServingError: the model does not load, or a warm-up request fails.
    """
    predictor = Predictor(path, tags=options.tags, timeout_s=options.timeout_s, threads=options.threads)
    if not options.warm_up:
        return Servable(name, number, predictor)
    started, status = time.perf_counter(), "OK"
    try:
        read = warmup.run(predictor, path, options.iterations)
        if read:
            metrics.count("model_warmup_records_read", str(path), "OK", by=read)
    except ServingError as error:
        status = error.code
        predictor.close()
        raise
    finally:
        metrics.observe("model_warmup_latency", (time.perf_counter() - started) * 1e6, str(path), status)
    return Servable(name, number, predictor)
