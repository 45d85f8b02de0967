"""What `slipway init` leaves out of the taxi data, and why: `python benchmarks/init_taxi.py`."""

import tempfile
from pathlib import Path

from data.sources import taxi
from pipeline import init


def main() -> None:
    """Print what the command prints."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        wish = init.Wish(taxi.SOURCE.locate(place), "big_tipper", "taxi", place / "taxi.yaml", "csv", (), force=False)
        print("\n".join(init.run(wish, place)))


if __name__ == "__main__":
    main()
