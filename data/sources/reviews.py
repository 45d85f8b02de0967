"""100 film reviews, as the tfx package ships them: for tests, too few to learn from."""

from pathlib import Path

from data.source import Source
from data.sources import _installed


def locate(_: Path) -> str:
    """Return the path of the CSV file inside the installed tfx package, without importing tfx."""
    return str(_installed.folder("tfx") / "examples/imdb/data/imdb_small_with_labels.txt")


SOURCE = Source(
    format="csv",
    locate=locate,
    rows=100,
    licence=(
        "Large Movie Review Dataset: free to use, with a citation of its paper; the texts remain those of their "
        "authors on IMDb"
    ),
    origin="Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011; 100 rows shipped by the TFX authors",
    about=(
        "One row is one review of a film in English, `text`, with `label` 1 where its author gave seven stars or more "
        "and 0 where it was four or fewer. 100 of the 50,000 reviews of the source `imdb`, as they were written: "
        "enough to see that a pipeline for texts runs, too few for a model that anyone should use."
    ),
)
