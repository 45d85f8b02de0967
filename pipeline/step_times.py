"""Where the time of a training went, in a line."""

from collections.abc import Mapping, Sequence

PARTS = {"input": "waiting for input", "step": "forward and backward", "validation": "validation"}


def lines(epochs: Sequence[Mapping[str, float]]) -> list[str]:
    """Return `0.52 s an epoch: waiting for input 0.02 s, forward and backward 0.41 s, validation 0.09 s`, or nothing.

    Args:
        epochs: of each the seconds, `epoch` and the parts that were measured. The first one, which traces the network,
            does not count unless it is the only one.
    """
    counted = epochs[1:] or epochs
    if not counted:
        return []
    mean = {name: sum(epoch[name] for epoch in counted) / len(counted) for name in counted[0]}
    parts = ", ".join(f"{text} {mean[name]:.2f} s" for name, text in PARTS.items() if name in mean)
    return [f"{mean['epoch']:.2f} s an epoch: {parts}"]
