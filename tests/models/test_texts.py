"""Tokens, bags and weights against plain Python, and against TFT's own TF-IDF."""

import json
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from models import _texts, _transforms, _wanted
from serving.preprocessing import Preprocessing
from tests.models.conftest import BAG, TOKENS

ALL_TOKENS = {**TOKENS, "max_words": 1000, "length": 40}
UNIGRAMS = {**BAG, "ngrams": 1, "min_count": 1, "length": 40}
PLANS = {
    "tfidf": BAG, "count": {**BAG, "weights": "count"}, "binary": {**BAG, "weights": "binary"},
    "three": {**BAG, "ngrams": 3, "length": 40}, "tokens": TOKENS,
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
    characters = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
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


def _grams(text, longest):
    tokens = [token.decode() for token in _texts.tokens(tf.constant([text]))[0].numpy()]
    return [" ".join(tokens[i:j]) for i in range(len(tokens)) for j in range(i + 1, min(i + longest, len(tokens)) + 1)]


def test_a_vocabulary_has_the_ngrams_of_most_rows(notes):
    found = notes(BAG)
    rows = Counter(gram for row in found.rows for gram in set(_grams(row.get("note", ""), 2)))
    expected = sorted((-count, gram.encode()) for gram, count in rows.items() if count >= 2)[:60]
    assert len(rows) > len(expected) == 60
    assert found.transform.vocabulary_by_name("note_bag") == [gram for _, gram in expected]


def test_the_weights_are_those_of_tft_tfidf(notes):
    ours, theirs = notes(UNIGRAMS), notes(ALL_TOKENS)
    vocabularies = [
        found.transform.vocabulary_by_name(name) for found, name in ((ours, "note_bag"), (theirs, "note_tokens"))
    ]
    assert vocabularies[0] == vocabularies[1]
    for number in range(len(ours.rows)):
        weights, other = ours.features["note_bag_weights"][number], theirs.features["tft_weights"][number]
        kept, known = weights > 0, other > 0
        found = dict(zip(ours.features["note_bag"][number][kept].tolist(), weights[kept].tolist(), strict=True))
        expected = dict(zip(theirs.features["tft_ids"][number][known].tolist(), other[known].tolist(), strict=True))
        assert found == pytest.approx(expected, rel=1e-5)


def test_the_heaviest_of_a_long_row_are_kept(notes):
    short, long = notes(BAG), notes({**BAG, "length": 60})
    cut = (long.features["note_bag_weights"] > 0).sum(axis=1) > BAG["length"]
    assert cut.any()
    np.testing.assert_array_equal(short.features["note_bag"], long.features["note_bag"][:, : BAG["length"]])
    np.testing.assert_array_equal(short.features["note_bag_weights"], long.features["note_bag_weights"][:, :12])


@pytest.mark.parametrize("name", PLANS)
def test_a_row_without_a_known_word_is_empty(notes, name):
    features = notes(PLANS[name]).features
    for column in features.keys() - {"mood_label", "tft_ids", "tft_weights"}:
        assert not features[column][:2].any(), column
        assert features[column][2:].any(axis=1).all(), column
        assert features[column].shape[1] == PLANS[name]["length"]


def test_tokens_keep_their_order_and_the_unknown_is_behind_the_vocabulary(notes):
    found = notes(TOKENS)
    words = [word.decode() for word in found.transform.vocabulary_by_name("note_tokens")]
    assert len(words) == 10
    for row, ids in zip(found.rows, found.features["note_tokens"].tolist(), strict=True):
        expected = [words.index(token) + 1 if token in words else 11 for token in _grams(row.get("note", ""), 1)][:8]
        assert ids == expected + [0] * (8 - len(expected))


@pytest.mark.parametrize("name", PLANS)
def test_the_recipe_means_the_same_in_python(notes, name, tmp_path):
    found = notes(PLANS[name])
    wanted = _wanted.outputs(found.graph.raw_feature_spec, ["note"], {"note": [PLANS[name]]})
    learned = _transforms.learned(found.graph, found.transform, wanted)
    recipe = _transforms.recipe(wanted, learned, found.graph.raw_feature_spec)
    (tmp_path / "preprocessing.json").write_text(json.dumps(recipe))
    features = Preprocessing(tmp_path / "preprocessing.json")({"note": found.texts.numpy()})
    assert features.keys() == found.features.keys() - {"mood_label", "tft_ids", "tft_weights"}
    for key, values in features.items():
        assert values.dtype == found.features[key].dtype
        np.testing.assert_array_equal(values, found.features[key], err_msg=key)
