"""How ML Metadata is reached: a file of SQLite for one machine, MySQL, MariaDB or PostgreSQL for several."""

import os
import socket
from urllib.parse import unquote, urlsplit

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from pipeline.errors import SetupError
from pipeline.home import Home
from pipeline.metadata_config import PORTS, Metadata
from pipeline.metadata_postgresql import PostgreSQL


def connection(config: Metadata, home: Home) -> metadata_store_pb2.ConnectionConfig:
    """Return how the store of a pipeline is reached, with the password from the environment."""
    if config.url is None:
        return metadata.sqlite_metadata_connection_config(str(home.metadata))
    parts = urlsplit(config.url)
    host, port, user = parts.hostname or "", parts.port or PORTS[parts.scheme], unquote(parts.username or "")
    database, password = parts.path.strip("/"), os.environ.get(config.password_env, "")
    if parts.scheme == "mysql":
        return metadata.mysql_metadata_connection_config(host, port, database, user, password)
    server = metadata_store_pb2.PostgreSQLDatabaseConfig(
        host=host, port=str(port), dbname=database, user=user, password=password
    )
    return metadata_store_pb2.ConnectionConfig(postgresql=server)


def reach(config: metadata_store_pb2.ConnectionConfig) -> metadata.Metadata:
    """Return the store behind a connection, which is opened when it is entered."""
    return PostgreSQL(config) if config.HasField("postgresql") else metadata.Metadata(config)


def require(config: Metadata, home: Home) -> None:
    """Connect once, so that a database out of reach is one line before any step begins; makes the tables at first.

    Raises:
        SetupError: the database does not answer, or refuses the user.
    """
    if config.url is None:
        return
    if words := _no_answer(config.url):
        raise SetupError(f"metadata.url: {words}")
    try:
        with reach(connection(config, home)):
            pass
    except RuntimeError as error:
        raise SetupError(f"metadata.url: {_refused(config)}") from error


def lost(config: Metadata, error: BaseException) -> str:
    """Return the words for a step that failed because the database was out of reach, or nothing."""
    if config.url is None:
        return ""
    at_opening = "connection to Metadata storage" in str(error)
    if not at_opening and not isinstance(error, ml_metadata.errors.StatusError):
        return ""
    return _no_answer(config.url) or (_refused(config) if at_opening else "")


def _no_answer(url: str) -> str:
    """Return the words for a server that cannot be reached, or nothing. ML Metadata's own do not tell the two apart."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or PORTS[parts.scheme]), timeout=10):
            return ""
    except OSError as error:
        return f"the database does not answer, got {url}: {error.strerror or error}; start it, or mend the address"


def _refused(config: Metadata) -> str:
    has = "holds another user's password" if os.environ.get(config.password_env) else "is not set"
    return (
        f"the database does not take the user, got {config.url}; perhaps {config.password_env} {has}, "
        "or there is no such database"
    )
