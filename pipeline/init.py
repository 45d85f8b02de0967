"""`slipway init`: from a file nobody prepared to a config that runs, and a schema beside it."""

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import names, raw_rows, schema_file
from pipeline.errors import DataError, SetupError
from pipeline.screen import logged_to

SERVABLE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.>-]*")


@dataclass(frozen=True)
class Wish:
    """What the command line asks for.

    Attributes:
        data: path or glob of the files.
        label: the column to predict, by its name in the files or in the config.
        name: of the pipeline; None takes the file's.
        output: the config to write; None writes `configs/<name>.yaml`.
        kind: format of the files; None goes by their suffix.
        options: of the loader, `key=value`; the value is YAML.
        force: write over files that are there.
    """

    data: str
    label: str
    name: str | None
    output: Path | None
    kind: str | None
    options: Sequence[str]
    force: bool


def run(wish: Wish, home: Path) -> list[str]:
    """Write a config and a schema, and return what was found.

    Raises:
        SetupError: no such file, format or label, or a file to write is there already.
        DataError: the data cannot be read, or there is nothing to learn from them.
    """
    pattern, kind = os.path.abspath(wish.data), raw_rows.format_of(wish.data, wish.kind)
    name, options = _name(wish), raw_rows.options_of(wish.options, kind)
    config = wish.output or Path("configs") / f"{name}.yaml"
    schema = config.with_suffix(".schema.pbtxt")
    schema_file.require_free([config, schema], "slipway init", force=wish.force)
    header = _header(pattern, kind, options)
    rename = servable(header)
    label = rename.get(wish.label, wish.label)
    try:
        names.require(label, [*header, *rename.values()], what="column of the data")
    except ValueError as error:
        raise SetupError(f"--label: {error}") from error
    with logged_to(home / "init.log") as screen, screen.working_on(f"looking at {wish.data}"):
        from pipeline import init_label, init_plan, init_table, init_text, schema_infer, schema_review

        table = init_table.look(raw_rows.of_files(kind, [pattern], rename, options), label)
        plan = init_plan.plan(table, init_label.decide(table, label))
        found = schema_infer.schema(table.statistics, label)
    relative = Path(os.path.relpath(pattern, config.absolute().parent)).as_posix()
    place = init_text.Place(name, config, schema, relative, kind, options, table.rows, rename)
    head = schema_review.head(name, table.statistics, f"slipway init {shlex.quote(wish.data)}")
    schema_file.write_text(schema, schema_file.text(found, head))
    schema_file.write_text(config, init_text.text(place, plan))
    return init_text.summary(place, plan)


def servable(header: Iterable[str]) -> dict[str, str]:
    """Return new names for the columns that TensorFlow cannot serve under their own: `mean radius` is `mean_radius`."""
    header = list(header)
    taken, rename = {name for name in header if SERVABLE.fullmatch(name)}, {}
    for number, name in enumerate(header, start=1):
        if name not in taken:
            stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-") or f"column_{number}"
            choices = [stem, *(f"{stem}_{i}" for i in range(2, len(header) + 2))]
            rename[name] = next(choice for choice in choices if choice not in taken)
            taken.add(rename[name])
    return rename


def _name(wish: Wish) -> str:
    if wish.name is not None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", wish.name):
            raise SetupError(f"--name: no name, got {wish.name!r}; small letters, digits, - and _, a letter first")
        return wish.name
    path = Path(wish.data)
    stem = (path.parent if "*" in path.name else path).name.partition(".")[0].lower()
    return re.sub(r"^[^a-z]+|[^a-z0-9]+$", "", re.sub(r"[^a-z0-9_-]+", "_", stem)) or "table"


def _header(pattern: str, kind: str, options: Mapping[str, Any]) -> Sequence[str]:
    loader = names.load("data.loaders", kind)
    try:
        return loader.column_names(loader.matching_files(pattern)[0], options)
    except OSError as error:
        raise SetupError(f"slipway init: {error}") from error
    except ValueError as error:
        raise DataError(f"the data are refused: {error}") from error
