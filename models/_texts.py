"""Texts as ids of tokens, and as bags of n-grams with weights, in operations that every server of TensorFlow has.

Normalisation is NFKC and small letters, each character by itself: full-width, bold and ligature letters become plain
ones, but an accent that is a character of its own stays one, since TensorFlow cannot compose. A token is a run of
letters, marks and digits; all else separates.
"""

import sys
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

SEPARATOR = " "
NO_TOKEN = r"[^\pL\pM\pN]+"
# What every bag and every list of tokens has been through, for `preprocessing.json`.
RECIPE = {"normalisation": "of each character by itself: NFKC, then small letters", "no_token": NO_TOKEN}


def normalised(texts: tf.Tensor) -> tf.Tensor:
    """Return texts [n] in small letters and compatible characters; bytes that are no UTF-8 become U+FFFD."""
    characters = tf.strings.unicode_decode(texts, "UTF-8")
    changed, starts, lengths, replacements = _replacements()
    points = characters.flat_values
    place = tf.minimum(tf.searchsorted(changed, points), len(changed) - 1)
    change = tf.equal(tf.gather(changed, place), points)
    length = tf.where(change, tf.gather(lengths, place), 1)
    ends = tf.cumsum(length)
    # One element for each character that comes out: the one it comes from, and its place behind that one's first.
    origin = tf.repeat(tf.range(tf.size(points)), length)
    behind = tf.range(tf.size(origin)) - tf.gather(ends - length, origin)
    source = tf.where(change, tf.gather(starts, place), 0)
    new = tf.gather(replacements, tf.gather(source, origin) + behind)
    result = tf.where(tf.gather(change, origin), new, tf.gather(points, origin))
    splits = tf.gather(tf.pad(ends, [[1, 0]]), characters.row_splits)
    return tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(result, splits, validate=False), "UTF-8")


def tokens(texts: tf.Tensor) -> tf.RaggedTensor:
    """Return the tokens [n, ?] of raw texts [n]; none for a missing or empty one."""
    return tf.strings.split(tf.strings.regex_replace(normalised(texts), NO_TOKEN, SEPARATOR))


def ngrams(texts: tf.Tensor, longest: int) -> tf.SparseTensor:
    """Return the runs of 1 to `longest` tokens of raw texts [n], [n, ?], repetitions included."""
    return tft.ngrams(tokens(texts).to_sparse(), (1, longest), SEPARATOR)


def bag(
    grams: tf.SparseTensor, vocabulary: tf.Tensor, counts: tf.Tensor | None, options: Mapping[str, Any]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the n-grams of each row with their weights, heaviest first; inside a preprocessing_fn.

    Rows are padded, and not sparse, so that a batch is one gather and phones can have them too.

    Args:
        grams: strings [n, ?].
        vocabulary: the path of its file; what is not in it is left out.
        counts: for TF-IDF, how many rows there are, and have each word: int64 [1 + words].
        options: `weights` and `length`, from the config.

    Returns:
        places in the vocabulary int64 [n, length], and weights float32 [n, length], 0 behind the last one.
    """
    places = tft.apply_vocabulary(grams, vocabulary, default_value=-1)
    once, often = _counted(tf.sparse.retain(places, places.values >= 0))
    weights = tf.ones_like(often.values) if options["weights"] == "binary" else often.values
    if counts is not None:
        size = tf.gather(tf.sparse.reduce_sum(often, axis=1), often.indices[:, 0])
        weights = weights / size * tf.gather(inverse_document_frequencies(counts), once.values)
    return _heaviest(once, often.with_values(weights), options["length"])


def inverse_document_frequencies(counts: tf.Tensor) -> tf.Tensor:
    """Return float32 [words], those of `tft.tfidf`: 1 + log((rows + 1) / (rows with the word + 1)).

    Args:
        counts: int64 [1 + words], how many rows there are, and have each word.
    """
    rows = tf.cast(counts, tf.float64)
    return tf.cast(1 + tf.math.log((rows[0] + 1) / (rows[1:] + 1)), tf.float32)


def token_ids(words: tf.SparseTensor, vocabulary: tf.Tensor, length: int) -> tf.Tensor:
    """Return int64 [n, length]: 1 + the place of each of the first tokens of a row, 0 behind the last one.

    Args:
        words: strings [n, ?]; one that is not in the vocabulary gets the id behind its last.
        vocabulary: the path of its file.
        length: tokens to keep.
    """
    places = tft.apply_vocabulary(words, vocabulary, num_oov_buckets=1)
    ids = tf.sparse.to_dense(places.with_values(places.values + 1))[:, :length]
    return tf.reshape(tf.pad(ids, [[0, 0], [0, length - tf.shape(ids)[1]]]), [-1, length])


def _counted(places: tf.SparseTensor) -> tuple[tf.SparseTensor, tf.SparseTensor]:
    """Return what is in each row, each place once [n, ?], and float32 [n, ?] how often it is."""
    size = tf.reduce_max(tf.pad(places.values, [[0, 1]])) + 1
    keys, _, counts = tf.unique_with_counts(places.indices[:, 0] * size + places.values, tf.int64)
    rows = keys // size
    indices = tf.stack([rows, tft.segment_indices(rows)], axis=1)
    once = tf.SparseTensor(indices, keys % size, places.dense_shape)
    return once, once.with_values(tf.cast(counts, tf.float32))


def _heaviest(places: tf.SparseTensor, weights: tf.SparseTensor, length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the `length` heaviest of each row, both [n, length]."""
    width = tf.maximum(weights.dense_shape[1], length)
    shape = tf.stack([weights.dense_shape[0], width])
    all_places, all_weights = (tf.sparse.to_dense(tf.sparse.reset_shape(part, shape)) for part in (places, weights))
    heaviest, which = tf.math.top_k(tf.cast(all_weights, tf.float32), length)
    kept = tf.gather(all_places, which, batch_dims=1)
    return tf.reshape(kept, [-1, length]), tf.reshape(heaviest, [-1, length])


@cache
def _replacements() -> tuple[np.ndarray, ...]:
    """Return the characters that change, sorted; where the replacement of each starts, how long it is; all of them."""
    pairs = []
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if (new := unicodedata.normalize("NFKC", character).lower()) != character:
            pairs.append((point, new))
    lengths = np.array([len(new) for _, new in pairs], np.int32)
    replacements = np.array([ord(character) for _, new in pairs for character in new], np.int32)
    points = np.array([point for point, _ in pairs], np.int32)
    return points, (np.cumsum(lengths) - lengths).astype(np.int32), lengths, replacements
