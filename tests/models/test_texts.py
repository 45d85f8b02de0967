"""Tokens, bags and weights against plain Python, and against TFT's own TF-IDF."""

import json
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from models import _texts, _transforms
from serving.preprocessing import Preprocessing
from tests.models.conftest import BAG, EVERY_TOKEN, TOKENS

PLANS = {
    "tfidf": BAG, "long": {**BAG, "length": 60}, "one": {**BAG, "ngrams": 1, "min_count": 1, "length": 40},
    "count": {**BAG, "weights": "count"}, "binary": {**BAG, "weights": "binary"}, "three": {**BAG, "ngrams": 3},
    "some": TOKENS, "every": EVERY_TOKEN,
}  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("The CAT, the mat.", ["the", "cat", "the", "mat"]),
        ("Ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
        ("ﬁne ½ ™", ["fine", "1", "2", "tm"]),
        ("don't n_samples a-b", ["don", "t", "n", "samples", "a", "b"]),
        ("ΣΊΣΥΦΟΣ Straße", ["σίσυφοσ", "straße"]),
        ("日本語 テスト", ["日本語", "テスト"]),
        ("two\nlines\tand\u00a0more", ["two", "lines", "and", "more"]),
        ("", []),
        ("?! …", []),
        (b"caf\xe9 ok", ["caf", "ok"]),
    ],
)
def test_a_text_becomes_tokens(raw, expected):
    assert [token.decode() for token in _texts.tokens(tf.constant([raw]))[0].numpy()] == expected


def test_every_character_is_normalised_as_unicode_says():
    # Surrogates are no characters, and code points that never will be one are U+FFFD to TensorFlow.
    points = [point for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    characters = [chr(point) for point in points if point & 0xFFFE != 0xFFFE and not 0xFDD0 <= point <= 0xFDEF]
    found = _texts.normalised(tf.constant(["", "".join(characters), "A"])).numpy()
    expected = "".join(unicodedata.normalize("NFKC", character).lower() for character in characters)
    assert found[0] == b""
    assert found[1].decode() == expected
    assert found[2] == b"a"


def test_ngrams_are_runs_of_tokens_within_a_row():
    found = _texts.ngrams(tf.constant(["a b c", "", "d"]), 2)
    words = [word.decode() for word in found.values.numpy()]
    assert words == ["a", "a b", "b", "b c", "c", "d"]
    assert found.indices.numpy()[:, 0].tolist() == [0, 0, 0, 0, 0, 2]


@pytest.fixture(scope="module")
def found(notes):
    return notes(**PLANS)


def _grams(note, longest):
    tokens = [token.decode() for token in _texts.tokens(tf.constant([note]))[0].numpy()]
    return [" ".join(tokens[i:j]) for i in range(len(tokens)) for j in range(i + 1, min(i + longest, len(tokens)) + 1)]


def test_a_vocabulary_has_the_ngrams_of_most_rows(found):
    rows = Counter(gram for note in found.texts.numpy() for gram in set(_grams(note, 2)))
    expected = sorted((-count, gram.encode()) for gram, count in rows.items() if count >= 2)[:60]
    assert len(rows) > len(expected) == 60
    assert found.transform.vocabulary_by_name("tfidf_bag") == [gram for _, gram in expected]


def test_the_weights_are_those_of_tft_tfidf(found):
    vocabularies = [found.transform.vocabulary_by_name(name) for name in ("one_bag", "every_tokens")]
    assert vocabularies[0] == vocabularies[1]
    features = found.features
    for number in range(len(found.rows)):
        weights, other = features["one_bag_weights"][number], features["tft_weights"][number]
        ours = dict(zip(features["one_bag"][number][weights > 0].tolist(), weights[weights > 0].tolist(), strict=True))
        theirs = dict(zip(features["tft_ids"][number][other > 0].tolist(), other[other > 0].tolist(), strict=True))
        assert ours == pytest.approx(theirs, rel=1e-5)


def test_the_heaviest_of_a_long_row_are_kept(found):
    cut = (found.features["long_bag_weights"] > 0).sum(axis=1) > BAG["length"]
    assert cut.any()
    for kind in ("bag", "bag_weights"):
        np.testing.assert_array_equal(found.features[f"tfidf_{kind}"], found.features[f"long_{kind}"][:, :12])


@pytest.mark.parametrize("name", PLANS)
def test_a_row_without_a_known_word_is_empty(found, name):
    columns = [column for column in found.features if column.startswith(f"{name}_")]
    assert columns
    for column in columns:
        assert not found.features[column][:2].any(), column
        assert found.features[column][2:].any(axis=1).all(), column
        assert found.features[column].shape[1] == PLANS[name]["length"]


def test_tokens_keep_their_order_and_the_unknown_is_behind_the_vocabulary(found):
    words = [word.decode() for word in found.transform.vocabulary_by_name("some_tokens")]
    assert len(words) == 10
    for note, ids in zip(found.texts.numpy(), found.features["some_tokens"].tolist(), strict=True):
        expected = [words.index(token) + 1 if token in words else 11 for token in _grams(note, 1)][:8]
        assert ids == expected + [0] * (8 - len(expected))


def test_the_recipe_means_the_same_in_python(found, tmp_path):
    wanted = _transforms.outputs(found.graph.raw_feature_spec, list(PLANS), found.plans)
    learned = _transforms.learned(found.graph, found.transform, wanted)
    recipe = _transforms.recipe(wanted, learned, found.graph.raw_feature_spec)
    (tmp_path / "preprocessing.json").write_text(json.dumps(recipe))
    features = Preprocessing(tmp_path / "preprocessing.json")(dict.fromkeys(PLANS, found.texts.numpy()))
    assert features.keys() == found.features.keys() - {"mood_label", "tft_ids", "tft_weights"}
    for key, values in features.items():
        assert values.dtype == found.features[key].dtype
        np.testing.assert_array_equal(values, found.features[key], err_msg=key)
