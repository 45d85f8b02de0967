"""What the ids of a transform graph stand for is what the graph makes of the words."""

import pytest

from models import _meanings, _transforms
from tests.models.conftest import BAG, CONFIG, EVERY_TOKEN


def test_the_id_of_a_word_is_the_row_that_stands_for_it(analyzed):
    spec = analyzed.transform.transformed_feature_spec()
    sizes = {
        feature.name: feature.int_domain.max + 1
        for feature in analyzed.transform.transformed_metadata.schema.feature
        if feature.int_domain.is_categorical and feature.name in spec and feature.name != "kind_label"
    }
    rows = _meanings.ids(analyzed.transform, CONFIG, sizes)
    assert {name: len(found) for name, found in rows.items()} == sizes, "every row stands for something"
    words = {output.name: output.column for output in analyzed.wanted if output.kind == "vocabulary"}
    assert words
    for feature, column in words.items():
        texts = _transforms.as_text(analyzed.columns[column]).numpy()
        for text, number in zip(texts, analyzed.features[feature], strict=True):
            meaning = rows[feature][number]
            assert meaning == text.decode() or meaning.startswith("\n"), "it, or a bucket of words that are not known"
    assert rows["town_id"][-3:] == ["\n0 of 3", "\n1 of 3", "\n2 of 3"]
    assert rows["user_hash"][0] == "\n0 of 8"


@pytest.mark.parametrize(("options", "kind"), [({**BAG, "length": 40}, "bag"), (EVERY_TOKEN, "tokens")])
def test_the_id_of_an_ngram_or_token_is_the_row_that_stands_for_it(notes, options, kind):
    texts = notes(note=options)
    rows = getattr(_meanings, kind)(texts.transform, f"note_{kind}")[f"note_{kind}"]
    ids = texts.features[f"note_{kind}"]
    seen = {rows[number] for number in ids.ravel()}
    assert {"merry", "gloomy"} <= seen
    merry = ids == rows.index("merry")
    assert merry.any()
    for row, found in zip(texts.rows, merry.any(axis=1), strict=True):
        assert not found or "merry" in row.get("note", "")


def test_a_number_of_so_many_means_nothing_among_more():
    assert not set(_meanings.numbered({"x": 3})["x"]) & set(_meanings.numbered({"x": 4})["x"])
