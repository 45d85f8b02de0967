"""What there is to choose from: sources, formats, models, components, runners and configs."""

from collections.abc import Callable
from pathlib import Path

from pipeline import names
from pipeline.errors import SetupError


def _sources() -> list[str]:
    found = []
    for name in names.plug_ins("data.sources"):
        source = names.load("data.sources", name).SOURCE
        found += [
            f"{name} ({source.format}, {source.rows:,} rows)",
            f"    {source.about}",
            f"    licence: {source.licence}",
            f"    origin: {source.origin}",
        ]
    return found


def _configs() -> list[str]:
    paths = sorted(Path("configs").glob("*.yaml"))
    return [f"{path}  {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}" for path in paths]


KINDS: dict[str, Callable[[], list[str]]] = {
    "sources": _sources,
    "formats": lambda: names.plug_ins("data.loaders"),
    "models": lambda: names.plug_ins("models"),
    "components": lambda: names.plug_ins("components"),
    "runners": lambda: names.plug_ins("pipeline.runners"),
    "configs": _configs,
}


def lines(kind: str | None) -> list[str]:
    """Return the listing of one kind, or of all.

    Raises:
        SetupError: there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise SetupError(f"slipway list: no such kind, got {kind!r}; {names.suggestion(kind, KINDS)}")
    found = []
    for name in [kind] if kind else KINDS:
        found += [f"{name}:", *(f"  {line}" for line in KINDS[name]() or ["none"])]
    return found
