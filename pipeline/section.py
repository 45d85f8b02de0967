"""What every part of the config has in common."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline import names


class Section(BaseModel):
    """A part of the config."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def off(value: Any) -> Any:
    """YAML reads a bare `off` as False; both mean: without this part."""
    return None if value is False or value == "off" else value


def named(item: Any, known: Collection[str], *, what: str) -> Any:
    """Bring `log`, and `{bucketize: {buckets: 20}}`, into {"kind": …, **options}.

    Args:
        item: as it stands in the file; a section that was read from one is returned as it is.
        known: the kinds there are.
        what: what a kind names, for the message: "transform".

    Raises:
        ValueError: it is neither of the two, or of no known kind.
    """
    if isinstance(item, Section):
        return item
    kind: Any = item
    options: Any = {}
    if isinstance(item, dict) and len(item) == 1:
        ((kind, options),) = item.items()
    if not isinstance(kind, str) or not isinstance(options or {}, dict):
        raise ValueError(f"no {what}, got {item!r}; write a name, or {{name: {{option: value}}}}")
    names.require(kind, known, what=what)
    return {"kind": kind, **(options or {})}
