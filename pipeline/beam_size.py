"""Whether the data are large enough for several Beam workers on this machine."""

import os

from pipeline import data_files, names
from pipeline.config_file import ConfigFile
from pipeline.doctor import cpus

# Every Beam job starts its workers anew, each with seconds of imports. On two cores two of them earn that back from 0.4
# million taxi rows on, 60 MB, and at 195 MB they need four fifths of the time (benchmarks/beam.py, docs/scaling.md).
SIZE_MB = 100
# Each holds half a gigabyte of imports.
MOST = 8


def workers(file: ConfigFile) -> int:
    """Return with how many Beam workers the data are read the fastest here; 1 is this process itself."""
    most = min(cpus(), MOST)
    return most if most > 1 and size_mb(file) >= SIZE_MB else 1


def size_mb(file: ConfigFile) -> float:
    """Return the size of the raw files; 0 for a query, whose rows nobody here has counted."""
    if file.config.data.query is not None:
        return 0.0
    loader = names.load("data.loaders", data_files.data_format(file.config.data))
    patterns = (pattern for found in file.inputs.patterns.values() for pattern in found)
    return sum(os.path.getsize(path) for pattern in patterns for path in loader.matching_files(pattern)) / 1e6
