"""Ports to listen on: whether they are free, told before a server takes seconds to start."""

import socket
from contextlib import ExitStack

from pipeline.errors import SetupError


def hold(held: ExitStack, host: str, port: int) -> int:
    """Take a port until the stack is left, and return its number; 0 takes a free one.

    Raises:
        OSError: it cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = held.enter_context(socket.socket(family))
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((host, port))
    # Two sockets may bind a port, one may listen on it.
    probe.listen(1)
    return probe.getsockname()[1]


def refusal(place: str, host: str, port: int, error: OSError) -> SetupError:
    """Return the mistake to raise, of the option at `place`."""
    return SetupError(
        f"{place}: cannot listen on {host}, got {port}: {error.strerror}; "
        "end what uses it, or give another port (0 takes a free one)"
    )
