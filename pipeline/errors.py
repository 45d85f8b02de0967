"""The mistakes that are the user's or the machine's: printed as lines, never as a traceback.

Every line reads `<place>: <what is wrong>, got <value>; <what is allowed or what to do>`.
"""

# Exit codes of every command, documented in docs/config.md.
DONE, STEP_FAILED, WRONG_SETUP, DATA_REFUSED, NOT_BLESSED = 0, 1, 2, 3, 4


class SlipwayError(Exception):
    """A mistake with one or more lines to print.

    Attributes:
        lines: one line per mistake.
        exit_code: what the command ends with.
    """

    exit_code = STEP_FAILED

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class ConfigError(SlipwayError):
    """The config is wrong: every mistake found, one line each."""

    exit_code = WRONG_SETUP


class SetupError(SlipwayError):
    """The machine, the installation or the command line is wrong."""

    exit_code = WRONG_SETUP


class DataError(SlipwayError):
    """The raw data cannot be read as what they claim to be."""

    exit_code = DATA_REFUSED


class StepError(SlipwayError):
    """A step of a run failed, or refused the data."""

    def __init__(self, *lines: str, exit_code: int = STEP_FAILED) -> None:
        super().__init__(*lines)
        self.exit_code = exit_code
