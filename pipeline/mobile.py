"""What phones get, in words: one line per variant, then whether the folder may be pushed."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import DONE, NOT_BLESSED, STEP_FAILED


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return the report of `components/_tflite.py` as lines."""
    found = [f"takes transformed features, not raw ones: {reason}" for reason in report["obstacles"]]
    found += [line for name, variant in report["variants"].items() for line in _variant(name, variant)]
    return [*found, "for phones: " + ("may be pushed" if report["blessed"] else "FAILS, the folder is not pushed")]


def exit_code(report: Mapping[str, Any]) -> int:
    """Return 1 when a required variant could not be made, 4 when one misses its bounds, else 0."""
    if report["blessed"]:
        return DONE
    return STEP_FAILED if report["failed"] else NOT_BLESSED


def _variant(name: str, variant: Mapping[str, Any]) -> Iterator[str]:
    if "bytes" in variant:
        latency = variant["latency"]["litert, 1 thread"]
        yield (
            f"{name:<14}{variant['bytes'] / 1000:>7.1f} kB {latency['median_us']:>7.1f} µs  "
            f"{variant['metric']} {variant['value']:.4f} ({variant['value'] - variant['saved_model']:+.4f})  "
            f"difference {variant['max_difference']:.1e}{'  needs Flex' if variant['flex'] else ''}"
        )
    word = "FAILS" if variant["required"] else "warning, not required"
    for problem in variant["problems"]:
        yield f"{name:<14}{problem}: {word}"
