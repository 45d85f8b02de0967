"""The transforms against numpy, on a table with missing values."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from models import _dates, _labels, _transforms, _wanted
from models._transforms import MISSING_TOKEN
from tests.models.conftest import CONFIG, SPEC


@pytest.mark.parametrize("name", ["height", "when"])
def test_a_z_score_is_over_the_known_values_and_missing_is_the_mean(analyzed, known, name):
    there, values = known(name)
    scores = analyzed.features[f"{name}_zscore"]
    np.testing.assert_allclose(scores[there], (values - values.mean()) / values.std(), atol=2e-4)
    assert np.all(scores[~there] == 0)


def test_a_log_is_taken_before_the_z_score(analyzed, known):
    there, values = known("price")
    logs = np.log1p(values)
    np.testing.assert_allclose(analyzed.features["price_log"][there], (logs - logs.mean()) / logs.std(), atol=1e-4)


def test_buckets_hold_about_as_many_rows_each(analyzed, known):
    there, values = known("price")
    buckets = analyzed.features["price_bucket"][there]
    counts = np.bincount(buckets, minlength=4)
    assert len(counts) == 4
    assert counts.min() > 0.8 * counts.max()
    assert np.all(np.diff(buckets[np.argsort(values)]) >= 0)


def test_a_vocabulary_is_sorted_by_count_and_cut(analyzed):
    counts = Counter(row.get("city", MISSING_TOKEN) for row in analyzed.rows)
    words = [word.decode() for word in analyzed.transform.vocabulary_by_name("city")]
    assert words == [word for word, _ in counts.most_common(2)]


def test_words_of_a_vocabulary_become_their_places_and_others_the_bucket_behind(analyzed):
    ids = analyzed.features["city_id"]
    for row, number in zip(analyzed.rows, ids, strict=True):
        assert number == {"Rome": 0, "Oslo": 1}.get(row.get("city"), 2)


def test_rare_words_are_left_out_and_share_the_bucket_behind(analyzed):
    counts = Counter(str(row.get("visits", MISSING_TOKEN)) for row in analyzed.rows)
    words = [word.decode() for word in analyzed.transform.vocabulary_by_name("visits")]
    assert set(words) == {word for word, count in counts.items() if count >= 12}
    assert [counts[word] for word in words] == sorted((counts[word] for word in words), reverse=True)
    rare = [number for number, row in enumerate(analyzed.rows) if str(row.get("visits", MISSING_TOKEN)) not in words]
    assert rare
    assert np.all(analyzed.features["visits_id"][rare] == len(words))


@pytest.mark.parametrize("name", ["visits", "height", "price", "when"])
def test_a_number_that_is_missing_is_flagged(analyzed, known, name):
    there, _ = known(name)
    np.testing.assert_array_equal(analyzed.features[f"{name}_missing"], (~there).astype(np.float32))


def test_the_schema_says_how_many_ids_there_are(analyzed):
    domains = {feature.name: feature.int_domain for feature in analyzed.transform.transformed_metadata.schema.feature}
    assert (domains["city_id"].min, domains["city_id"].max, domains["city_id"].is_categorical) == (0, 2, True)


def test_a_label_without_classes_learns_them(analyzed):
    assert _labels.classes(CONFIG, analyzed.transform) == ["good", "bad"]


@pytest.mark.parametrize(
    ("dtype", "kind", "message"),
    [
        (tf.string, "log", "text can get vocabulary, hash, date, text, tokens, got log"),
        (tf.int64, "tokens", "is a number, got tokens; leave it to texts"),
    ],
)
def test_a_transform_that_does_not_fit_the_type_is_refused(dtype, kind, message):
    with pytest.raises(ValueError, match=rf"features\.columns\.city: {message}"):
        _wanted.outputs({"city": tf.io.FixedLenFeature([], dtype)}, ["city"], {"city": [{"kind": kind}]})


def test_a_column_without_a_plan_gets_what_suits_its_type():
    found = _wanted.outputs(SPEC, ["city", "height"], {})
    assert [output.name for output in found] == ["city_id", "height_zscore", "height_missing"]


def test_what_was_learned_is_read_back(analyzed, known):
    found = _transforms.learned(analyzed.graph, analyzed.transform, analyzed.wanted)
    _, heights = known("height")
    assert found["height_zscore"]["mean"] == pytest.approx(heights.mean(), rel=1e-6)
    assert found["height_zscore"]["deviation"] == pytest.approx(heights.std(), rel=1e-3)
    assert found["city_id"]["words"] == ["Rome", "Oslo"]
    assert len(found["price_bucket"]["boundaries"]) == 3


@pytest.mark.parametrize(("name", "buckets"), [("user", 7), ("device", 5)])
def test_a_hash_is_the_same_for_the_same_value_and_a_missing_one_has_its_own(analyzed, name, buckets):
    found = {}
    for row, number in zip(analyzed.rows, analyzed.features[f"{name}_hash"], strict=True):
        assert found.setdefault(row.get(name), number) == number
    assert found.pop(None) == buckets
    assert set(found.values()) == set(range(buckets))


@pytest.mark.parametrize(("name", "words", "buckets"), [("town", 2, 3), ("size", 5, 2)])
def test_unknown_words_share_the_buckets_behind_the_vocabulary(analyzed, name, words, buckets):
    known = [word.decode() for word in analyzed.transform.vocabulary_by_name(name)]
    assert len(known) == words
    found = {}
    for row, number in zip(analyzed.rows, analyzed.features[f"{name}_id"], strict=True):
        word = str(np.float32(row[name])).removesuffix(".0") if name == "size" and name in row else row.get(name)
        assert found.setdefault(MISSING_TOKEN if word is None else word, number) == number
    assert [found.pop(word) for word in known] == list(range(words))
    assert set(found.values()) == set(range(words, words + buckets))


@pytest.mark.parametrize(
    ("name", "last"),
    [("user_hash", 7), ("start_hour", 24), ("start_weekday", 7), ("born_day", 31), ("start_month", 12)],
)
def test_the_schema_says_how_many_ids_a_hash_and_a_part_of_a_date_have(analyzed, name, last):
    (feature,) = [f for f in analyzed.transform.transformed_metadata.schema.feature if f.name == name]
    assert (feature.int_domain.max, feature.int_domain.is_categorical) == (last, True)


def test_a_year_is_a_z_score_over_the_dates_that_can_be_read(analyzed):
    start = _dates.read(analyzed.columns["start"], {"format": "unix"})
    years = start.parts["year"].numpy()[start.known]
    scores = analyzed.features["start_year"]
    np.testing.assert_allclose(scores[start.known], (years - years.mean()) / years.std(), atol=1e-4)
    assert np.all(scores[~start.known.numpy()] == 0)


def test_a_date_that_cannot_be_read_is_missing(analyzed):
    flags = dict(zip((row.get("seen") for row in analyzed.rows), analyzed.features["seen_missing"], strict=True))
    bad = [text for text, flag in flags.items() if text is not None and flag]
    assert flags[None] == 1
    assert {text.rpartition(".")[0] for text in bad} <= {"29.2", "30.2", "31.2", "31.4", "31.6", "31.9", "31.11"}
    assert {text[:4] for text in bad} >= {"30.2", "31.2"}
