"""Names in a config are file names: what there is to choose from, and what a misspelt one probably meant."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType


def plug_ins(package: str) -> list[str]:
    """Return the names of the plug-ins in a package, sorted: its modules without those that begin with `_`.

    Only the package is imported, none of its modules.
    """
    paths = importlib.import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_"))


def load(package: str, name: str) -> ModuleType:
    """Import one plug-in.

    Raises:
        ValueError: the package has no plug-in of that name.
    """
    require(name, plug_ins(package), what=f"module in {package}/")
    return importlib.import_module(f"{package}.{name}")


def require(name: str, known: Iterable[str], *, what: str) -> None:
    """Raise ValueError unless `name` is one of `known`.

    Args:
        name: the name that stands in the config or on the command line.
        known: the names there are.
        what: what the name should name, for the message: "metric", "column of the data".
    """
    known = list(known)
    if name not in known:
        raise ValueError(f"no such {what}, got {name!r}; {suggestion(name, known)}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" where a known name is near, else the list of all known names."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
