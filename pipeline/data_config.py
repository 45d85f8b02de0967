"""The section `data` of the config: where the rows come from and how they are split."""

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from pipeline import names
from pipeline.section import Section

# The format that is asked and not read.
QUERIED = "bigquery"


class Data(Section):
    """Where the rows come from and how they are split.

    Attributes:
        source: a named dataset, `data/sources/<name>.py`.
        path: instead of a source, a path, glob or folder of raw files; relative to the config file.
        query: instead of both, an SQL query for BigQuery.
        format: with `path`, the loader, `data/loaders/<name>.py`.
        options: of the loader.
        split: hash buckets by split name: {train: 2, eval: 1} puts a third of the rows into eval, for ever the same.
    """

    source: str | None = None
    path: str | None = None
    query: str | None = None
    format: str = "csv"
    options: dict[str, Any] = {}
    split: dict[str, Annotated[int, Field(gt=0)]] = {"train": 2, "eval": 1}

    @field_validator("source")
    @classmethod
    def _known_source(cls, name: str | None) -> str | None:
        if name is not None:
            names.require(name, names.plug_ins("data.sources"), what="source")
        return name

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str) -> str:
        names.require(name, names.plug_ins("data.loaders"), what="format")
        return name

    @field_validator("split")
    @classmethod
    def _train_and_eval(cls, split: dict[str, int]) -> dict[str, int]:
        if not {"train", "eval"} <= set(split):
            raise ValueError(
                f"needs the splits train and eval, got {sorted(split)}; for instance {{train: 2, eval: 1}}"
            )
        return split

    @model_validator(mode="after")
    def _one_origin(self) -> "Data":
        given = [key for key in ("source", "path", "query") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"needs one of source, path and query, got {given or 'none'}; give exactly one")
        if (self.format == QUERIED) != (self.query is not None):
            raise ValueError(f"a query is for the format {QUERIED}, got {given[0]} and {self.format!r}; change one")
        return self
