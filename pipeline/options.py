"""What the command line may say about one run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Attributes:
        begin: this step and all after it run anew, whatever the cache holds.
        to: stop after this step; only it and what it depends on run.
        no_cache: steps that run anew; "all" stands for every step.
    """

    begin: str | None = None
    to: str | None = None
    no_cache: tuple[str, ...] = ()
