"""Imports that take seconds, without the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def for_good() -> Iterator[None]:
    """Keep what is made inside out of the garbage collector's sight, for the life of the process.

    TensorFlow and TFX make millions of objects when they are imported. None of them is ever garbage, and every full
    collection would look at all of them; Keras and Beam ask for many.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
