"""How a gRPC method ends: errors as statuses, messages cut, requests counted. Source: grpc_status_util.cc."""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from serving.errors import CODES, ServingError, from_exception

log = logging.getLogger(__name__)
_LONGEST = 1024
Method = Callable[[Any, Any, Any], Awaitable[Any]]


def answering(name: str, *, counted: bool = True) -> Callable[[Method], Method]:
    """Wrap a servicer's method `name`; `counted` methods appear in request_count and request_latency.

    The client's deadline bounds the wait for the graph.
    """

    def wrap(method: Method) -> Method:
        @functools.wraps(method)
        async def answer(self: Any, request: Any, context: Any) -> Any:
            started = time.perf_counter()
            model = request.model_spec.name if counted else ""
            try:
                response = await _within(method(self, request, context), context.time_remaining())
            except asyncio.CancelledError:
                raise
            except Exception as failure:  # noqa: BLE001  (the client is told)
                error = _error(failure)
                if counted:
                    self.metrics.count("request_count", model, error.code)
                await context.abort(status(error.code), cut(error.message))
            if counted:
                self.metrics.count("request_count", model, "OK")
                self.metrics.observe("request_latency", (time.perf_counter() - started) * 1e6, model, name, "GRPC")
            return response

        return answer

    return wrap


async def _within(awaited: Awaitable[Any], seconds: float | None) -> Any:
    if seconds is None or seconds > 1e6:
        return await awaited
    try:
        return await asyncio.wait_for(awaited, seconds)
    except TimeoutError:
        raise ServingError("DEADLINE_EXCEEDED", "Deadline Exceeded") from None


def _error(failure: Exception) -> ServingError:
    if not isinstance(failure, ServingError):
        log.error("request failed", exc_info=failure)
    return from_exception(failure)


def status(code: str) -> Any:
    """grpc.StatusCode of a code's name."""
    import grpc

    return next(known for known in grpc.StatusCode if known.value[0] == CODES[code])


def cut(message: str) -> str:
    """A message no longer than TensorFlow Serving lets it be."""
    return message if len(message) <= _LONGEST else message[:_LONGEST] + "...TRUNCATED"
