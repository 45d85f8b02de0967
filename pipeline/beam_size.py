"""Whether the data are large enough for several Beam workers on this machine."""

import os

from pipeline import data_files, names
from pipeline.config_file import ConfigFile
from pipeline.doctor import cpus

# Every Beam job starts its workers anew, each with seconds of imports, and a row that goes to another process and back
# costs more than one that stays: on two cores, two processes are slower (benchmarks/beam.py). So there must be more
# cores than the way there and back costs, and rows enough to earn the imports: of the taxi data, a million or two.
CORES, SIZE_MB = 4, 200


def workers(file: ConfigFile) -> int:
    """Return with how many Beam workers the data are read the fastest here; 1 is this process itself."""
    cores = cpus()
    return cores if cores >= CORES and size_mb(file) >= SIZE_MB else 1


def size_mb(file: ConfigFile) -> float:
    """Return the size of the raw files; 0 for a query, whose rows nobody here has counted."""
    if file.config.data.query is not None:
        return 0.0
    loader = names.load("data.loaders", data_files.data_format(file.config.data))
    patterns = (pattern for found in file.inputs.patterns.values() for pattern in found)
    return sum(os.path.getsize(path) for pattern in patterns for path in loader.matching_files(pattern)) / 1e6
