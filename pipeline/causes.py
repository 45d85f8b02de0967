"""The real cause of a failed step: the innermost error, without the wrappings of Beam and TFX."""

import re
import sysconfig
import traceback

from pipeline.errors import DATA_REFUSED, STEP_FAILED, StepError
from pipeline.metadata_config import Metadata

# Steps that judge the data: a ValueError from them means the data are refused, not that the step is broken.
JUDGE_DATA = {"ExampleGen", "DataGate"}
# Likewise of the model.
JUDGE_MODEL = {"Doors"}


def innermost(error: BaseException) -> BaseException:
    """Return the error that began it all."""
    seen = {id(error)}
    while (inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        if id(inner) in seen:
            break
        seen.add(id(inner))
        error = inner
    return error


def refuses_data(step: str, error: BaseException) -> bool:
    """Return whether a step failed because it refuses the data."""
    return step in JUDGE_DATA and isinstance(error, ValueError)


def step_error(step: str, error: BaseException, store: Metadata) -> StepError:
    """Return what a step failed with, in the user's words."""
    from pipeline import metadata_store  # loads TFX, as the step did

    if words := metadata_store.lost(store, error):
        return StepError(f"{step}: {words}; the same command then goes on from the last finished step")
    return StepError(*lines(step, error), exit_code=DATA_REFUSED if refuses_data(step, error) else STEP_FAILED)


def lines(step: str, error: BaseException) -> list[str]:
    """Return the sentences of a refusal, else one line `Trainer: failed, got ValueError: … (file:line)`."""
    text = re.sub(r" \[while running '.*?'\]$", "", str(error).strip(), flags=re.DOTALL)
    if refuses_data(step, error):
        return [f"{step}: the data are refused: {line}" for line in text.splitlines()]
    if step in JUDGE_MODEL and isinstance(error, ValueError):
        return [f"{step}: the model is refused: {line}" for line in text.splitlines()]
    where = _place(innermost(error))
    first, *rest = text.splitlines() or [""]
    return [f"{step}: failed, got {type(error).__name__}: {first}{where}", *rest[:8]]


def _place(error: BaseException) -> str:
    """Return ` (file:line)` of the innermost frame outside installed packages: where the user's or our code stands."""
    packages = (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"))
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(packages)] or frames
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
