"""HTTP/1.1 on a bare asyncio protocol: llhttp reads, we write. Everything under /v1/ goes to one handler.

Chosen by measurement (benchmarks/serving.py --stacks): a fixed answer costs less than on uvicorn with the same parser,
or on aiohttp. Source of the rules: util/net_http/server and libevent's http.c.
"""

import asyncio
import email.utils
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httptools

from serving.rest_answer import error as error_body

_MAX_UNZIPPED = 100 * 2**20
_MAX_HEAD = 2**20
_MOST_PIPELINED = 16
_IDLE_S = 50.0
_LINGER_S = 2.0
_KNOWN = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"})
_REASONS = {
    100: "Continue", 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    409: "Conflict", 413: "Content Too Large", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    499: "Client Closed Request", 500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip

Handle = Callable[[str, str, bytes, Callable[[int, bytes], None]], None]


@dataclass
class HttpOptions:
    """Limits and extras of the HTTP side.

    Attributes:
        cors: add the headers of --rest_api_enable_cors_support.
        max_body_bytes: a longer body is answered with 413.
        max_waiting: requests under way at the same time; one more is answered with 503.
        pages: exact path -> function that gives (content type, body); the metrics.
        access_log: told method, target, status, body size in bytes and seconds of every answered request.
    """

    cors: bool = False
    max_body_bytes: int = 256 * 2**20
    max_waiting: int = 10_000
    pages: dict[str, Callable[[], tuple[str, bytes]]] = field(default_factory=dict)
    access_log: Callable[[str, str, int, int, float], None] | None = None


@dataclass
class _Request:
    method: str
    target: str
    body: bytes
    origin: bytes
    keep_alive: bool
    started: float


class HttpServer:
    """What all connections share."""

    def __init__(self, handle: Handle, options: HttpOptions) -> None:
        self.handle, self.options = handle, options
        self.connections: set[Connection] = set()
        self.waiting = 0
        self.draining = False
        self._date = (0, b"")

    def date(self) -> bytes:
        """The Date header's value, made once a second."""
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, email.utils.formatdate(now, usegmt=True).encode())
        return self._date[1]

    def close_idle(self) -> None:
        """Close connections that have been quiet for too long; all quiet ones when draining."""
        limit = time.monotonic() - (0 if self.draining else _IDLE_S)
        for connection in list(self.connections):
            connection.close_if_quiet_since(limit)


class Connection(asyncio.Protocol):
    """One client. Requests that come before the last answer went out wait their turn."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._queue: deque[_Request] = deque()
        self._busy: _Request | None = None
        self._last = time.monotonic()
        self._refused = self._ended = False
        self._pumping = False
        self._in_body, self._head = False, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._transport = None
        self._queue.clear()
        self._server.connections.discard(self)

    def close_if_quiet_since(self, limit: float) -> None:
        """Close unless a request is under way or came in after `limit`, a monotonic time in seconds."""
        if self._busy is None and not self._queue and self._last <= limit and self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._last = time.monotonic()
        if self._refused:
            return
        self._head += 0 if self._in_body else len(data)
        if self._head > _MAX_HEAD:
            self._refuse(431, _page(431), "text/html")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        except (httptools.HttpParserError, ValueError):
            if not self._refused:
                self._refuse(400, _page(400), "text/html")

    def on_message_begin(self) -> None:
        self._url, self._size = b"", 0
        self._parts: list[bytes] = []
        self._encoding = self._origin = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"content-encoding":
            self._encoding = value
        elif name == b"origin":
            self._origin = value
        elif name == b"content-length" and int(value) > self._server.options.max_body_bytes:
            self._too_large()
        elif name == b"expect" and value.lower() == b"100-continue" and not self._refused:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_headers_complete(self) -> None:
        self._in_body, self._head = True, 0

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._server.options.max_body_bytes:
            self._too_large()
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        if self._refused:
            return
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if b"gzip" in self._encoding:
            body = _unzip(body)
        request = _Request(
            self._parser.get_method().decode(), self._url.decode("latin-1"), body, self._origin,
            self._parser.should_keep_alive(), time.perf_counter(),
        )  # fmt: skip
        if self._busy is None:
            self._begin(request)
            return
        self._queue.append(request)
        if len(self._queue) >= _MOST_PIPELINED:
            self._transport.pause_reading()

    def _begin(self, request: _Request) -> None:
        self._busy = request
        server, target = self._server, request.target
        path, query, _ = target.partition("?")
        page = server.options.pages.get(path)
        if request.method not in _KNOWN:
            self._answer(request, 501, _page(501), "text/html")
        elif page is not None:
            if query:
                self._answer(request, 400, f"Unexpected path: {target}".encode("latin-1"), "text/plain")
            else:
                kind, body = page()
                self._answer(request, 200, body, kind)
        elif target[:4].lower() != "/v1/":
            request.keep_alive = False
            self._answer(request, 404, _page(404), "text/html")
        elif request.method == "OPTIONS":
            good = b"http://" in request.origin or b"https://" in request.origin
            self._answer(request, 200 if good else 400, b"")
        elif server.waiting >= server.options.max_waiting:
            what = f"too many requests under way, got {server.waiting + 1}; the limit is {server.options.max_waiting}"
            self._answer(request, 503, error_body(what))
        else:
            server.waiting += 1
            server.handle(request.method, target, request.body, lambda status, body: self._done(request, status, body))

    def _done(self, request: _Request, status: int, body: bytes) -> None:
        self._server.waiting -= 1
        self._answer(request, status, body)

    def _answer(self, request: _Request, status: int, body: bytes, kind: str = "application/json") -> None:
        options = self._server.options
        if options.access_log is not None:
            seconds = time.perf_counter() - request.started
            options.access_log(request.method, request.target, status, len(body), seconds)
        if self._transport is None or self._ended:
            return
        keep = request.keep_alive and not self._server.draining
        head = b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nDate: %s\r\nContent-Length: %d\r\n%s%s\r\n" % (
            status, _REASONS.get(status, "Unknown").encode(), kind.encode(), self._server.date(), len(body),
            _CORS if options.cors and kind == "application/json" else b"", b"" if keep else b"Connection: close\r\n",
        )  # fmt: skip
        self._transport.write(head if request.method == "HEAD" else head + body)
        self._busy = None
        self._last = time.monotonic()
        if not keep:
            self._queue.clear()
            self._close()
        elif not self._pumping:
            self._pump()

    def _pump(self) -> None:
        """Start what waits its turn; a loop, since a request may be answered before `_begin` returns."""
        self._pumping = True
        while self._queue and self._busy is None:
            if len(self._queue) == _MOST_PIPELINED:
                self._transport.resume_reading()
            self._begin(self._queue.popleft())
        self._pumping = False

    def _too_large(self) -> None:
        limit = self._server.options.max_body_bytes
        self._refuse(413, error_body(f"body: too large; the limit is {limit} bytes"), "application/json")

    def _close(self) -> None:
        """Close; after a refusal only when the client had time to read it, since what it still sends would reset it."""
        if self._refused and self._transport.can_write_eof():
            self._transport.write_eof()
            asyncio.get_running_loop().call_later(_LINGER_S, self._transport.close)
        else:
            self._transport.close()

    def _refuse(self, status: int, body: bytes, kind: str) -> None:
        """Answer without reading on; what was asked before is no longer answered."""
        if self._refused or self._transport is None:
            return
        self._refused = True
        request = _Request("", "", b"", b"", False, time.perf_counter())
        self._answer(request, status, body, kind)
        self._ended = True


_CORS = (
    b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: POST, GET\r\n"
    b"Access-Control-Allow-Headers: Content-Type\r\n"
)


def _page(status: int) -> bytes:
    text = f"{status} {_REASONS[status]}"
    return f"<HTML><HEAD>\n<TITLE>{text}</TITLE>\n</HEAD><BODY>\n<H1>{_REASONS[status]}</H1>\n</BODY></HTML>\n".encode()


def _unzip(body: bytes) -> bytes:
    """Unzip; what does not unzip, or to more than 100 MiB, counts as empty."""
    unzipper = zlib.decompressobj(wbits=31)
    try:
        text = unzipper.decompress(body, _MAX_UNZIPPED + 1)
    except zlib.error:
        return b""
    return text if unzipper.eof and len(text) <= _MAX_UNZIPPED else b""
