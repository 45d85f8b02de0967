"""Where an installed package lies, found without importing it: for data that ship inside one."""

import importlib.util
from pathlib import Path


def folder(package: str) -> Path:
    """Return the folder of a package.

    Raises:
        FileNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the data come with an installed package, got no {package!r}; run `make setup`")
    return Path(next(iter(spec.submodule_search_locations)))
