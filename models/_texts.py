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


def bag(grams: tf.SparseTensor, vocabulary: tf.Tensor, options: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the n-grams of each row with their weights, heaviest first; inside a preprocessing_fn.

    Rows are padded, and not sparse, so that a batch is one gather and phones can have them too.

    Args:
        grams: strings [n, ?].
        vocabulary: the path of its file; what is not in it is left out.
        options: `max_words`, `weights` and `length`, from the config.

    Returns:
        places in the vocabulary int64 [n, length], and weights float32 [n, length], 0 behind the last one.
    """
    places = tft.apply_vocabulary(grams, vocabulary, default_value=-1)
    known = tf.sparse.retain(places, places.values >= 0)
    if options["weights"] == "tfidf":
        places, weights = tft.tfidf(known, options["max_words"])
    else:
        places, weights = _counted(known, options["max_words"])
    if options["weights"] == "binary":
        weights = weights.with_values(tf.ones_like(weights.values))
    return _heaviest(places, weights, options["length"])


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


def _counted(places: tf.SparseTensor, size: int) -> tuple[tf.SparseTensor, tf.SparseTensor]:
    """Return what is in each row once [n, ?], and how often it is."""
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
