"""15,002 real taxi trips in Chicago, as the tfx package ships them."""

import importlib.util
from pathlib import Path

from data.source import Source


def locate(_: Path) -> str:
    """Return the path of the CSV file inside the installed tfx package, without importing tfx."""
    spec = importlib.util.find_spec("tfx")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the taxi data come with the package tfx, which is not installed; run `make setup`")
    folder = Path(spec.submodule_search_locations[0]) / "examples/chicago_taxi_pipeline/data/big_tipper_label"
    return str(folder / "data.csv")


SOURCE = Source(
    format="csv",
    locate=locate,
    rows=15_002,
    licence="City of Chicago data terms: free to use and redistribute, no warranty (chicago.gov/data_terms)",
    origin="City of Chicago, Taxi Trips; sampled and shipped by the TFX authors inside the tfx package",
    about=(
        "One row is one trip, 2013 to 2016: fare, distance, duration, pick-up and drop-off place, time, company, "
        "payment type and tip. The label `big_tipper` is 1 when the tip was above 20 % of the fare (22 % of rows). "
        "`tips` is the answer itself and must not be a feature. Tips paid in cash were not recorded, so the model "
        "mostly learns who tips by card."
    ),
)
