"""What a training began with, in a line."""

from collections.abc import Mapping
from typing import Any


def lines(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return `warm start: 12 of 14 weights taken, 1 in part, 1 new`, for each network that was trained.

    Which model they were taken from is in the line of the step WarmStart.

    Args:
        reports: what `models/_warm_start.py` wrote, by network: "" or student.
    """
    return [f"warm start{f' of the {name}' if name else ''}: {_told(report)}" for name, report in reports.items()]


def _told(report: Mapping[str, Any]) -> str:
    weights = report["weights"]
    if report["base_model"] is None:
        return "no model was blessed when this training was first done, all weights are new"
    if weights is None:
        return (
            f"no weights of this network in {report['base_model']} (deleted, of an older Slipway, or trained without "
            "it), all are new"
        )
    whole = sum(taken == size for taken, size in weights.values())
    new = sum(taken == 0 for taken, _ in weights.values())
    parts = [f"{whole} of {len(weights)} weights taken"]
    parts += [f"{count} {word}" for count, word in ((len(weights) - whole - new, "in part"), (new, "new")) if count]
    return ", ".join(parts)
