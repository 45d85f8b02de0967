"""`slipway status`: the last runs of a pipeline, what serves, and who released it."""

from pathlib import Path

from pipeline import names, releasing, runs
from pipeline.errors import SetupError
from pipeline.home import Home

OUTCOMES = {None: "unfinished", 0: "done", 1: "failed", 2: "setup", 3: "data refused", 4: "not blessed"}


def lines(root: Path, name: str | None, last: int) -> list[str]:
    """Return the status of one pipeline, or of all that have run.

    Raises:
        SetupError: no pipeline of that name has run.
    """
    known = sorted(path.name for path in (root / "runs").glob("*") if path.is_dir())
    if name is not None and name not in known:
        raise SetupError(f"slipway status: no runs of such a pipeline, got {name!r}; {names.suggestion(name, known)}")
    if not known:
        return [f"no runs yet in {root}; `slipway run configs/taxi.yaml` makes one"]
    return [line for each in ([name] if name else known) for line in _pipeline(Home(root, each), last)]


def _pipeline(home: Home, last: int) -> list[str]:
    versions = home.versions()
    found = [
        f"{home.name}: {releasing.state(home)} ({len(versions)} version{'s' * (len(versions) > 1)} pushed)"
        if versions
        else f"{home.name}: nothing was pushed yet"
    ]
    for run in runs.load_all(home)[-last:]:
        ran = sum(step.state == "ran" for step in run.steps)
        cached = sum(step.state == "cached" for step in run.steps)
        figures = {step.name: step.figure for step in run.steps}
        pushed = [figures["Pusher"]] if any(step.name == "Pusher" and step.state == "ran" for step in run.steps) else []
        found.append(
            f"  {run.run_id}  {OUTCOMES.get(run.exit_code, '?'):<12}{run.seconds:>7.1f} s  "
            f"{ran} ran, {cached} cached  {'  '.join([figures.get('Evaluator', ''), *pushed])}".rstrip()
        )
        found += [f"    {line}" for line in run.error]
    released = releasing.history(home, last) if versions else []
    return [*found, *(["  releases:"] if released else []), *(f"    {line}" for line in released)]
