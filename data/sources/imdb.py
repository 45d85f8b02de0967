"""50,000 film reviews by `keras.datasets`, which downloads them once into its own cache."""

from pathlib import Path

from data.source import Source
from data.sources import _csv_file, _keras_datasets

# In the file, words are numbers by their rank; Keras moves them up by three, for padding, the start and the unknown.
FIRST_WORD = 3


def locate(folder: Path) -> str:
    """Write the reviews once as a CSV file, and return its path.

    Raises:
        OSError: they cannot be downloaded.
    """
    return _csv_file.written_once(folder / "imdb.csv", _table)


def _table() -> _csv_file.Table:
    from keras.datasets import imdb  # Keras takes seconds to import

    with _keras_datasets.downloading("imdb", instead="reviews"):
        splits = imdb.load_data()
        words = {number + FIRST_WORD: word for word, number in imdb.get_word_index().items()}
    rows = [
        (" ".join(words[number] for number in review if number in words), int(label))
        for reviews, labels in splits
        for review, label in zip(reviews, labels, strict=True)
    ]
    return ("text", "label"), rows


SOURCE = Source(
    format="csv",
    locate=locate,
    rows=50_000,
    licence=(
        "Large Movie Review Dataset: free to use, with a citation of its paper; the texts remain those of their "
        "authors on IMDb"
    ),
    origin="Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011; packed by the authors of Keras",
    about=(
        "One row is one review of a film in English, `text`, with `label` 1 where its author gave seven stars or more "
        "and 0 where it was four or fewer; half of the 50,000 are positive. Keras ships them as ranks of words, so the "
        "texts are small letters without punctuation. The authors' own train and test halves are joined: the config "
        "splits anew, and a film may have reviews in both splits."
    ),
)
