"""Load: one process that keeps N connections busy, each with one request at a time, and writes down how long each took.

    python -P benchmarks/serving_load.py rest PORT PATH BODY_FILE CONNECTIONS SECONDS
    python -P benchmarks/serving_load.py grpc PORT - REQUEST_FILE CONNECTIONS SECONDS

Prints one JSON object: requests per second, p50 and p99 in milliseconds, failed requests, and the share of one core
that this process itself used: near 1.0 it is the generator that limits, not the server.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop


class Measure:
    """Latencies in seconds of what finished between start and end."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.failed = 0
        self.stopped = False


class RestConnection(asyncio.Protocol):
    """Sends the same request again as soon as it is answered."""

    def __init__(self, request: bytes, measure: Measure) -> None:
        self.request, self.measure, self.buffer = request, measure, b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lower = head.lower()
        at = lower.index(b"content-length:") + 15
        if len(body) < int(lower[at:].split(b"\r", 1)[0]):
            return
        self.measure.failed += b" 200 " not in head[:20]
        self.buffer = b""
        self.measure.times.append(time.perf_counter() - self.sent)
        if not self.measure.stopped:
            self.send()


async def rest(port: int, path: str, body: bytes, connections: int, measure: Measure) -> None:
    """Open the connections; they keep themselves busy."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: RestConnection(head.encode() + body, measure), "127.0.0.1", port)


async def grpc_calls(port: int, body: bytes, connections: int, measure: Measure) -> None:
    """One channel per connection; requests and answers stay bytes here, so that only the server's work counts."""
    from grpc import aio

    async def keep_asking(number: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        async with aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            predict = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
            while not measure.stopped:
                sent = time.perf_counter()
                try:
                    await predict(body)
                except aio.AioRpcError:
                    measure.failed += 1
                measure.times.append(time.perf_counter() - sent)

    measure.tasks = [asyncio.create_task(keep_asking(n)) for n in range(connections)]


async def main(kind: str, port: int, path: str, body: bytes, connections: int, seconds: float) -> dict:
    """Load a server for some seconds, after a quarter of that time to warm up."""
    measure = Measure()
    start = (
        rest(port, path, body, connections, measure) if kind == "rest" else grpc_calls(port, body, connections, measure)
    )
    await start
    await asyncio.sleep(max(0.5, seconds / 4))
    measure.times.clear()
    measure.failed = 0
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took, used = time.perf_counter() - started, time.process_time() - cpu
    measure.stopped = True
    times = sorted(measure.times)
    count = len(times)
    return {
        "per_s": count / took,
        "p50_ms": times[count // 2] * 1e3 if times else None,
        "p99_ms": times[int(count * 0.99)] * 1e3 if times else None,
        "failed": measure.failed,
        "generator_cpu": used / took,
    }


if __name__ == "__main__":
    kind, port, path, file, connections, seconds = sys.argv[1:]
    result = uvloop.run(main(kind, int(port), path, Path(file).read_bytes(), int(connections), float(seconds)))
    print(json.dumps(result))
