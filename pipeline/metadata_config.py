"""The `metadata` section of the config: the database that keeps lineage, and by which a step is found in the cache."""

import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, field_validator

from pipeline import names
from pipeline.section import Section

# The databases that ML Metadata speaks to, with their usual ports.
PORTS = {"mysql": 3306, "postgresql": 5432}


class Metadata(Section):
    """The metadata store.

    Attributes:
        url: `mysql://user@host:port/database` (MySQL or MariaDB) or `postgresql://…`; None keeps a file of SQLite under
            the output folder, which is for one machine.
        password_env: the environment variable that holds the user's password.
    """

    url: str | None = None
    password_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "SLIPWAY_METADATA_PASSWORD"

    @field_validator("url")
    @classmethod
    def _complete(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        # A / or # in a password ends what urlsplit takes for user and host, so nothing before the last @ is printed.
        shown = re.sub(r"//.*@", "//…@", url)
        if parts.password is not None:
            environment = "the environment variable that metadata.password_env names"
            raise ValueError(f"has a password, got {shown}; take it out, and put it into {environment}")
        names.require(parts.scheme, PORTS, what="database")
        if not (parts.hostname and parts.username and parts.path.strip("/") and _port(parts)):
            raise ValueError(f"is not complete, got {shown}; {parts.scheme}://user@host:{PORTS[parts.scheme]}/database")
        return url


def _port(parts: SplitResult) -> int | None:
    """Return the port, the database's own where none is given, or None where it is no number."""
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError:
        return None
