"""Runners, one module each, by name.

A runner exports `run(file, home, options)`, which runs a pipeline and returns the exit code, or
`compile(file, home, output)`, which writes it for an orchestrator and returns lines to print, or both.
"""

from collections.abc import Callable
from typing import Any

from pipeline import names
from pipeline.errors import SetupError

FUNCTIONS = ("run", "compile")


def function(name: str, what: str) -> Callable[..., Any]:
    """Return `run` or `compile` of a runner.

    Raises:
        SetupError: there is no such runner, or it lacks that.
    """
    try:
        module = names.load("pipeline.runners", name)
    except ValueError as error:
        raise SetupError(f"--runner: {error}") from error
    if not hasattr(module, what):
        others = [other for other in FUNCTIONS if hasattr(module, other)]
        raise SetupError(f"--runner: has no `{what}`, got {name!r}; there is `slipway {others[0]} --runner {name}`")
    return getattr(module, what)
