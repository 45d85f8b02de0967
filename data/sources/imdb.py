"""50,000 film reviews by `keras.datasets`, which downloads them once into its own cache."""

import csv
import os
from pathlib import Path

from data.source import Source

# In the file, words are numbers by their rank; Keras moves them up by three, for padding, the start and the unknown.
FIRST_WORD = 3


def locate(folder: Path) -> str:
    """Write the reviews once as a CSV file, and return its path.

    Raises:
        OSError: they cannot be downloaded.
    """
    path = folder / "imdb.csv"
    if not path.exists():
        rows = _rows()
        folder.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        with scratch.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])
        scratch.rename(path)
    return str(path)


def _rows() -> list[tuple[str, int]]:
    from keras.datasets import imdb  # Keras takes seconds to import

    try:
        splits = imdb.load_data()
        words = {number + FIRST_WORD: word for word, number in imdb.get_word_index().items()}
    except Exception as error:  # that is what Keras raises when a download fails
        cause = f"imdb is downloaded once and needs a network, got {' '.join(str(error).split())}"
        raise OSError(f"{cause}; or take the source reviews") from error
    return [
        (" ".join(words[number] for number in review if number in words), int(label))
        for reviews, labels in splits
        for review, label in zip(reviews, labels, strict=True)
    ]


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
