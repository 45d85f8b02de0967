"""The `features` section of the config: which columns the model takes, and how."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, computed_field, model_validator

from pipeline import date_format
from pipeline.section import Section, named


class ZScore(Section):
    """(x - mean) / standard deviation; missing becomes 0."""

    kind: Literal["zscore"]


class Log(Section):
    """sign(x) * log(1 + |x|), then as zscore."""

    kind: Literal["log"]


class Bucketize(Section):
    """The number of the quantile bucket, as an id.

    Attributes:
        buckets: how many; each holds about as many rows.
    """

    kind: Literal["bucketize"]
    buckets: Annotated[int, Field(ge=2)] = 10


class Vocabulary(Section):
    """The number of the value in the vocabulary of the train split, as an id.

    Attributes:
        top_k: keep the most frequent only; None keeps all.
        min_count: keep values seen at least this often.
        oov_buckets: ids for values that are not in the vocabulary.
    """

    kind: Literal["vocabulary"]
    top_k: Annotated[int, Field(gt=0)] | None = None
    min_count: Annotated[int, Field(gt=0)] | None = None
    oov_buckets: Annotated[int, Field(gt=0)] = 1


class Hash(Section):
    """The bucket that the value's hash falls into, as an id: for ids with too many values for a vocabulary.

    Attributes:
        buckets: how many; a missing value has one of its own behind them.
    """

    kind: Literal["hash"]
    buckets: Annotated[int, Field(ge=2)]


class Date(Section):
    """Parts of a date or a point in time, as ids or as points on a circle; what cannot be read is missing.

    Attributes:
        format: iso, unix (seconds since 1970), unix_ms, or directives of strptime.
        parts: hour, weekday, month and day (of the month) become ids; year becomes a number, as zscore.
        cyclic: sine and cosine instead of an id, so that December is next to January; a year is no circle.
    """

    kind: Literal["date"]
    format: str
    parts: tuple[Literal["hour", "weekday", "month", "day", "year"], ...]
    cyclic: bool = False

    @model_validator(mode="after")
    def _parts_of_the_format(self) -> "Date":
        if not self.parts:
            raise ValueError("no part of the date, got none in parts; list hour, weekday, month, day or year")
        if unknown := date_format.parts_without_field(self.format, self.parts):
            raise ValueError(f"the format does not tell the {unknown[0]}, got {self.format!r}; take it out of parts")
        if len(set(self.parts)) < len(self.parts):
            raise ValueError(f"a part stands twice, got {', '.join(self.parts)}; name each once")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pattern(self) -> str | None:
        """What a text must match as a whole, or None where the format is one of numbers."""
        return date_format.compiled(self.format)[0]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def groups(self) -> tuple[str, ...]:
        """The fields of the date in the pattern's groups."""
        return date_format.compiled(self.format)[1]


class Image(Section):
    """The bytes of a PNG or JPEG file, decoded and resized to pixels from 0 to 255.

    Attributes:
        height: of the resized picture, in pixels.
        width: likewise.
        channels: 1 makes it grey, 3 makes it colour.
    """

    kind: Literal["image"]
    height: Annotated[int, Field(gt=0, le=4096)]
    width: Annotated[int, Field(gt=0, le=4096)]
    channels: Literal[1, 3] = 3


class Text(Section):
    """A bag of n-grams with weights: for free text.

    Attributes:
        ngrams: the longest; 2 takes single words and pairs.
        max_words: so many n-grams, those that most rows have.
        min_count: keep n-grams that at least so many rows have.
        weights: tfidf (as tft.tfidf), count or binary.
        length: keep so many different n-grams of a row, the heaviest.
    """

    kind: Literal["text"]
    ngrams: Annotated[int, Field(ge=1, le=5)] = 1
    max_words: Annotated[int, Field(ge=2)] = 20_000
    min_count: Annotated[int, Field(gt=0)] = 2
    weights: Literal["tfidf", "count", "binary"] = "tfidf"
    length: Annotated[int, Field(gt=0)] = 256


class Tokens(Section):
    """The words of a free text in their order, as ids.

    Attributes:
        max_words: so many words, those that most rows have.
        min_count: keep words that at least so many rows have.
        length: keep so many words of a row, the first ones.
    """

    kind: Literal["tokens"]
    max_words: Annotated[int, Field(ge=2)] = 20_000
    min_count: Annotated[int, Field(gt=0)] = 2
    length: Annotated[int, Field(gt=0)] = 200


TRANSFORMS = ("zscore", "log", "bucketize", "vocabulary", "hash", "date", "image", "text", "tokens")


def _transforms(value: Any) -> Any:
    """Bring `log`, `{bucketize: {buckets: 20}}` and lists of both into [{"kind": …, **options}]."""
    items = value if isinstance(value, list) else [value]
    found = [named(item, TRANSFORMS, what="transform") for item in items]
    kinds = [transform["kind"] for transform in found]
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"one transform twice, got {', '.join(kinds)}; a column takes each once")
    return found


Kind = ZScore | Log | Bucketize | Vocabulary | Hash | Date | Image | Text | Tokens
Transform = Annotated[Kind, Field(discriminator="kind")]


class Features(Section):
    """Which columns the model takes, and how.

    Attributes:
        exclude: columns it must not see: leaks of the label, ids, constants.
        columns: transforms by column; text that is not listed gets a vocabulary, a number a zscore.
    """

    exclude: tuple[str, ...] = ()
    columns: dict[str, Annotated[tuple[Transform, ...], BeforeValidator(_transforms)]] = {}
