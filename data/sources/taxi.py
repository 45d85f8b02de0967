"""15,002 real taxi trips in Chicago, as the tfx package ships them."""

from pathlib import Path

from data.source import Source
from data.sources import _installed


def locate(_: Path) -> str:
    """Return the path of the CSV file inside the installed tfx package, without importing tfx."""
    return str(_installed.folder("tfx") / "examples/chicago_taxi_pipeline/data/big_tipper_label/data.csv")


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
