"""What the commands share: their common arguments, and how they end."""

import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from pipeline.errors import SlipwayError


def ends_in_words(command: Callable[..., int | None]) -> Callable[..., None]:
    """Print a user's mistake as its lines, and end with the exit code of the command."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        try:
            code = command(*args, **options)
        except SlipwayError as error:
            for line in error.lines:
                click.echo(line, err=True)
            code = error.exit_code
        sys.stdout.flush()
        if "tensorflow_io" in sys.modules:
            # Its S3 filesystem aborts a process in which it was used, when that comes to its end.
            sys.stderr.flush()
            logging.shutdown()
            os._exit(code or 0)
        sys.exit(code or 0)

    return wrapped


config = click.argument("config", type=click.Path(path_type=Path))
home = click.option("--home", metavar="DIR", help="Folder for everything that is written.  [default: .slipway]")
overrides = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a.b=value; repeatable."
)
span = click.option(
    "--span",
    metavar="SPAN",
    help="Which span of the data: latest, N, or several, A-B.  [default: latest; in Airflow, that of the run's date]",
)
