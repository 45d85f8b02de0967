"""What a person sees of a search: a table of its trials, what mattered, and the best one's curve."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Of a longer search, the best so many, and every trial that failed.
LINES = 15
CURVE_POINTS = 10
# Hyperparameters that say which network it is: those of models/tabular.py and of models/text.py.
NETWORKS = ("architecture", "network")


def summary(report: Mapping[str, Any]) -> str:
    """Return the key figure: `10 trials, best val_auc 0.9312`, and of several networks which one it was."""
    failed = sum(trial["objective"] is None for trial in report["trials"])
    found = f"{len(report['trials'])} trials"
    if report["best"] is not None:
        winner = _best(report)
        found += f", best {report['objective']} {winner['objective']:.4f}"
        drawn = winner["hyperparameters"]
        found += "".join(f" by {drawn[name]}" for name in NETWORKS if name in drawn)
    return f"{found}, {failed} FAILED" if failed else found


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return the lines for the screen.

    Args:
        report: `trials.json`, see `components/_tuner_report.py`.
    """
    return [*table(report), f"best curve: {_curve(report)}"]


def table(report: Mapping[str, Any]) -> list[str]:
    """Return a line per trial, none of none, and what mattered if the search is over."""
    if not report["trials"]:
        return []
    finished = [trial for trial in report["trials"] if trial["objective"] is not None]
    finished.sort(key=lambda trial: trial["objective"], reverse=report["direction"] == "max")
    others = [trial for trial in report["trials"] if trial["objective"] is None]
    names = list(dict.fromkeys(name for trial in report["trials"] for name in trial["hyperparameters"]))
    names = [name for name in names if not name.startswith("tuner/")]
    rows = [["trial", *names, report["objective"], "epochs", "seconds", "state"]]
    rows += [_row(trial, names) for trial in [*finished[:LINES], *others]]
    found = aligned(rows)
    if len(finished) > LINES:
        found.append(f"and {len(finished) - LINES} more in trials.json")
    return [*found, *_importance(report["importance"])] if "importance" in report else found


def _best(report: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(trial for trial in report["trials"] if trial["trial"] == report["best"])


def _row(trial: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    values = [_text(trial["hyperparameters"].get(name)) for name in names]
    state = trial["state"] if trial["objective"] is not None else f"FAILS: {trial['error'] or trial['state']}"
    return [
        trial["trial"], *values, _text(trial["objective"]), str(trial["epochs"]), f"{trial['seconds']:.1f}", state,
    ]  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, every column as wide as its widest cell; the last one as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])
        for row in rows
    ]


def _importance(found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        yield "importance: too few trials, or all alike"
        return
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found["shares"].items())
    weak = f"; a hint only: {found['trials']} trials, r2 {found['r2']:.2f}" if found["weak"] else ""
    yield f"importance: {shares}, interactions {found['interactions']:.0%}{weak}"


def _curve(report: Mapping[str, Any]) -> str:
    """Return the objective of the best trial after each epoch, of a long one in even steps."""
    name = report["objective"]
    values = [point[name] for point in _best(report)["curve"] if point.get(name) is not None]
    step = max(1, -(-len(values) // CURVE_POINTS))
    return f"{name} {' '.join(f'{value:.4f}' for value in values[step - 1 :: step])}" if values else "not recorded"
