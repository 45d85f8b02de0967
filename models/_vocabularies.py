"""The vocabularies of all columns from one pass of one Beam transform.

`tft.vocabulary` takes dozens of Beam stages, and more time to plan than to run, for each column; a table has many.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

Batch = tuple[np.ndarray, ...]
# No word of a vocabulary has a line break; this one stands for the number of rows.
ROWS = b"\n"


def vocabulary_files(
    texts: Mapping[str, tf.Tensor | tf.SparseTensor], options: Mapping[str, Mapping[str, Any]], fallback: str
) -> dict[str, tf.Tensor]:
    """Write the vocabulary of each column: its words by falling count of the rows that have them, one a line.

    A word with a line break is left out. `TFTransformOutput.vocabulary_by_name` finds the file under the column's name.

    Args:
        texts: by column, strings [n], none of them empty, or a SparseTensor [n, ?] of the words of each row.
        options: by column, `top_k` (so many words) and `min_count` (words that so many rows have), both optional.
        fallback: the one word of a vocabulary that would be empty, which no lookup table can be.

    Returns:
        The path of the file, a string tensor [], by column; for `tft.apply_vocabulary`.
    """
    files = {name: quote(name, safe="") for name in texts}
    limits = [(options[name].get("top_k"), options[name].get("min_count", 1)) for name in texts]
    many = [isinstance(words, tf.SparseTensor) for words in texts.values()]
    paths = tft.experimental.ptransform_analyzer(
        [part for words in texts.values() for part in _parts(words)],
        _WriteVocabularies(list(files.values()), limits, fallback.encode(), many),
        output_dtypes=[tf.string] * len(texts),
        output_shapes=[[]] * len(texts),
        output_asset_default_values=[fallback.encode()] * len(texts),
        name="vocabularies",
    )
    for name, file in files.items():
        tft.annotate_asset(name, file)
    return dict(zip(texts, paths, strict=True))


def row_counts(texts: Mapping[str, tf.SparseTensor], options: Mapping[str, Mapping[str, Any]]) -> dict[str, tf.Tensor]:
    """Return, by column, int64 [1 + words]: how many rows there are, and have each word of the column's vocabulary.

    In the same pass over the data as the vocabularies; `tft.tfidf` takes a second one, which TFX's Transform cannot
    plan with TFX 1.16 and today's Beam. tf.Transform takes no analyzer with files and numbers, so the words are counted
    twice.

    Args:
        texts: by column, a SparseTensor [n, ?] of the words of each row.
        options: as for `vocabulary_files`.
    """
    if not texts:
        return {}
    limits = [(options[name].get("top_k"), options[name].get("min_count", 1)) for name in texts]
    counts = tft.experimental.ptransform_analyzer(
        [part for words in texts.values() for part in (*_parts(words), words.dense_shape[:1])],
        _CountRows(limits),
        output_dtypes=[tf.int64] * len(texts),
        output_shapes=[[None]] * len(texts),
        name="row_counts",
    )
    return dict(zip(texts, counts, strict=True))


class _WriteVocabularies(tft_beam.experimental.PTransformAnalyzer):
    """From batches of columns to one PCollection a column, with the path of its file."""

    def __init__(
        self, files: list[str], limits: list[tuple[int | None, int]], fallback: bytes, many: list[bool]
    ) -> None:
        super().__init__()
        self._files, self._limits, self._fallback, self._many = files, limits, fallback, many

    def expand(self, pcoll: beam.PCollection[Batch]) -> tuple[beam.PCollection[str], ...]:
        """Count, add up, write."""
        directory, files, limits, fallback = self.base_temp_dir, self._files, self._limits, self._fallback

        def write(column: int, counts: Mapping[bytes, int]) -> str:
            path = f"{directory}/{files[column]}"
            tf.io.gfile.makedirs(directory)
            with tf.io.gfile.GFile(path, "wb") as file:
                words = [word for word, _ in _kept(counts, *limits[column])]
                file.write(b"".join(word + b"\n" for word in words or [fallback]))
            return path

        written = (
            pcoll
            | "CountInBatch" >> beam.FlatMap(_counts, self._many)
            | "Sum" >> beam.CombinePerKey(_added)
            | "Write" >> beam.MapTuple(lambda column, counts: (column, write(column, counts)))
            | "Split" >> beam.Partition(lambda written, _: written[0], len(files))
        )
        return tuple(part | f"Path{number}" >> beam.Values() for number, part in enumerate(written))


class _CountRows(tft_beam.experimental.PTransformAnalyzer):
    """From batches of columns to one PCollection a column, with an array of counts."""

    def __init__(self, limits: list[tuple[int | None, int]]) -> None:
        super().__init__()
        self._limits = limits

    def expand(self, pcoll: beam.PCollection[Batch]) -> tuple[beam.PCollection[np.ndarray], ...]:
        """Count, add up, sort as the vocabularies are."""
        limits = self._limits

        def counted(column: int, counts: Mapping[bytes, int]) -> np.ndarray:
            kept = _kept(counts, *limits[column])
            # A vocabulary is never empty.
            return np.array([counts.get(ROWS, 0), *(count for _, count in kept or [(b"", 0)])], np.int64)

        found = (
            pcoll
            | "CountInBatch" >> beam.FlatMap(_counts_with_rows)
            | "Sum" >> beam.CombinePerKey(_added)
            | "Sort" >> beam.MapTuple(lambda column, counts: (column, counted(column, counts)))
            | "Split" >> beam.Partition(lambda found, _: found[0], len(limits))
        )
        return tuple(part | f"Counts{number}" >> beam.Values() for number, part in enumerate(found))


def _parts(words: tf.Tensor | tf.SparseTensor) -> list[tf.Tensor]:
    """Return what the analyzer gets of a column: its words and, where a row has many, the row of each."""
    return [words.values, words.indices[:, 0]] if isinstance(words, tf.SparseTensor) else [words]


def _counts(batch: Batch, many: list[bool]) -> Iterator[tuple[int, Counter[bytes]]]:
    """Yield, by column, how many rows have each word: an element a batch, since texts have a million words."""
    parts = iter(batch)
    for column, several in enumerate(many):
        words = next(parts).tolist()
        if several:
            words = [word for _, word in set(zip(next(parts).tolist(), words, strict=True))]
        yield column, Counter(words)


def _counts_with_rows(batch: Batch) -> Iterator[tuple[int, Counter[bytes]]]:
    """Yield the same for columns whose rows have many words, with the number of rows as one word more."""
    words_and_places = [part for number, part in enumerate(batch) if number % 3 < 2]
    for column, counts in _counts(tuple(words_and_places), [True] * (len(batch) // 3)):
        counts[ROWS] = int(batch[3 * column + 2][0])
        yield column, counts


def _added(counts: Iterable[Counter[bytes]]) -> Counter[bytes]:
    total: Counter[bytes] = Counter()
    for some in counts:
        total.update(some)
    return total


def _kept(counts: Mapping[bytes, int], top_k: int | None, min_count: int) -> list[tuple[bytes, int]]:
    """Return the words of a vocabulary and the rows of each, by falling count."""
    kept = [(-count, word) for word, count in counts.items() if count >= min_count and not {10, 13} & set(word)]
    return [(word, -count) for count, word in sorted(kept)[:top_k]]
