"""The one error that a request or a load may end with: a canonical code and a message."""

# Canonical status codes (google.rpc.Code), by name; gRPC and TensorFlow use these numbers.
CODES = {
    "OK": 0, "CANCELLED": 1, "UNKNOWN": 2, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6, "PERMISSION_DENIED": 7, "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "ABORTED": 10,
    "OUT_OF_RANGE": 11, "UNIMPLEMENTED": 12, "INTERNAL": 13, "UNAVAILABLE": 14, "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}  # fmt: skip
NAMES = {number: name for name, number in CODES.items()}

# Source: tensorflow_serving/model_servers/http_server.cc.
HTTP_STATUS = {
    "OK": 200, "CANCELLED": 499, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504, "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403, "UNAUTHENTICATED": 401, "RESOURCE_EXHAUSTED": 429, "FAILED_PRECONDITION": 400,
    "ABORTED": 409, "ALREADY_EXISTS": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503,
}  # fmt: skip


class ServingError(Exception):
    """A request, a load or a configuration that ends with a status other than OK.

    Attributes:
        code: a key of CODES.
        message: the text the client is told, without the code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The HTTP status TensorFlow Serving answers for this code; 500 for what the table does not name."""
        return HTTP_STATUS.get(self.code, 500)


def invalid(message: str) -> ServingError:
    """The most frequent error: INVALID_ARGUMENT with `message`."""
    return ServingError("INVALID_ARGUMENT", message)


def from_exception(error: BaseException) -> ServingError:
    """Translate any exception: a TensorFlow error keeps its code and text, anything else is INTERNAL."""
    if isinstance(error, ServingError):
        return error
    number = getattr(error, "error_code", None)
    if isinstance(number, int):
        return ServingError(NAMES.get(number, "UNKNOWN"), getattr(error, "message", None) or str(error))
    return ServingError("INTERNAL", f"{type(error).__name__}: {error}")
