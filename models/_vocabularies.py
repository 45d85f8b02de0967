"""The vocabularies of all columns from one pass of one Beam transform.

`tft.vocabulary` takes dozens of Beam stages, and more time to plan than to run, for each column; a table has many.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

Batch = tuple[np.ndarray, ...]


def vocabulary_files(
    texts: Mapping[str, tf.Tensor], options: Mapping[str, Mapping[str, Any]], fallback: str
) -> dict[str, tf.Tensor]:
    """Write the vocabulary of each column: its words by falling count, one a line.

    A word with a line break is left out. `TFTransformOutput.vocabulary_by_name` finds the file under the column's name.

    Args:
        texts: strings [n] by column, none of them empty.
        options: by column, `top_k` (so many words) and `min_count` (words seen as often), both optional.
        fallback: the one word of a vocabulary that would be empty, which no lookup table can be.

    Returns:
        The path of the file, a string tensor [], by column; for `tft.apply_vocabulary`.
    """
    files = {name: quote(name, safe="") for name in texts}
    limits = [(options[name].get("top_k"), options[name].get("min_count", 1)) for name in texts]
    paths = tft.experimental.ptransform_analyzer(
        list(texts.values()),
        _WriteVocabularies(list(files.values()), limits, fallback.encode()),
        output_dtypes=[tf.string] * len(texts),
        output_shapes=[[]] * len(texts),
        output_asset_default_values=[fallback.encode()] * len(texts),
        name="vocabularies",
    )
    for name, file in files.items():
        tft.annotate_asset(name, file)
    return dict(zip(texts, paths, strict=True))


class _WriteVocabularies(tft_beam.experimental.PTransformAnalyzer):
    """From batches of columns to one PCollection a column, with the path of its file."""

    def __init__(self, files: list[str], limits: list[tuple[int | None, int]], fallback: bytes) -> None:
        super().__init__()
        self._files, self._limits, self._fallback = files, limits, fallback

    def expand(self, pcoll: beam.PCollection[Batch]) -> tuple[beam.PCollection[str], ...]:
        """Count, gather the words of each column, write."""
        directory, files, limits, fallback = self.base_temp_dir, self._files, self._limits, self._fallback

        def write(column: int, counts: Iterable[tuple[bytes, int]]) -> str:
            path = f"{directory}/{files[column]}"
            tf.io.gfile.makedirs(directory)
            with tf.io.gfile.GFile(path, "wb") as file:
                file.write(b"".join(word + b"\n" for word in _words(counts, *limits[column]) or [fallback]))
            return path

        written = (
            pcoll
            | "CountInBatch" >> beam.FlatMap(_counts)
            | "Sum" >> beam.CombinePerKey(sum)
            | "ByColumn" >> beam.MapTuple(lambda key, count: (key[0], (key[1], count)))
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.MapTuple(lambda column, counts: (column, write(column, counts)))
            | "Split" >> beam.Partition(lambda written, _: written[0], len(files))
        )
        return tuple(part | f"Path{number}" >> beam.Values() for number, part in enumerate(written))


def _counts(batch: Batch) -> Iterator[tuple[tuple[int, bytes], int]]:
    for column, texts in enumerate(batch):
        words, counts = np.unique(texts.astype(object), return_counts=True)
        for word, count in zip(words.tolist(), counts.tolist(), strict=True):
            yield (column, word), count


def _words(counts: Iterable[tuple[bytes, int]], top_k: int | None, min_count: int) -> list[bytes]:
    kept = [(-count, word) for word, count in counts if count >= min_count and not {10, 13} & set(word)]
    return [word for _, word in sorted(kept)[:top_k]]
