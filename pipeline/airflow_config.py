"""The `airflow` section of the config: when the steps run as tasks of Apache Airflow, where, and how often."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pipeline.data_config import file_formats, format_by_suffix
from pipeline.kubeflow_config import Variable
from pipeline.section import Section, off

PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
# Of the five fields of crontab: the least and the greatest number, and names that stand for numbers. As of croniter,
# with which Airflow reads them; so is L, the last day of a month.
FIELDS = {
    "minute": (0, 59, ""), "hour": (0, 23, ""), "day of the month": (1, 31, "L"),
    "month": (1, 12, "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"), "day of the week": (0, 7, DAYS),
}  # fmt: skip
# The last Friday of a month is L5, its second one 5#2 or fri#2; days of every week cannot stand beside them.
OF_MONTH = rf"(?:L[0-7]|(?:[0-7]|{DAYS})#[1-5])"


def _cron(value: Any) -> Any:
    """Check what can be checked without Airflow: the number of the fields, and that each holds what it may."""
    fields = value.split() if isinstance(value, str) else []
    if not (value in PRESETS or len(fields) == len(FIELDS)):
        raise ValueError(
            f"no schedule, got {value!r}; five fields as in crontab, such as '0 3 * * *', or {', '.join(PRESETS)}"
        )
    for text, (name, (least, greatest, words)) in zip(fields, FIELDS.items(), strict=False):
        if value in PRESETS or all(_item(item, least, greatest, words) for item in text.split(",")):
            continue
        if words != DAYS or not re.fullmatch(rf"{OF_MONTH}(?:,{OF_MONTH})*", text, re.IGNORECASE):
            allowed = f"{least} to {greatest}, *, 1-5 or */2{', L5 or 5#2' * (words == DAYS)}"
            raise ValueError(f"no {name} of a schedule, got {text!r} in {value!r}; {allowed}")
    return value


def _item(item: str, least: int, greatest: int, words: str) -> bool:
    """Return whether a field of crontab, or one of its parts between commas, holds what it may."""
    found = re.fullmatch(r"(?!L[-/])(?:\*|([^-/]+)(?:-([^-/]+))?)(?:/0*([1-9]\d*))?", item, re.IGNORECASE)
    return found is not None and all(
        (text.isdecimal() and least <= int(text) <= greatest) or re.fullmatch(words or "(?!)", text, re.IGNORECASE)
        for text in found.groups()[:2]
        if text is not None
    )


Schedule = Annotated[str, BeforeValidator(_cron)]
Minutes = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(min_length=1)]


def _text(value: Any) -> Any:
    """YAML reads 2 as a number; a variable is text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class Task(Section):
    """How a task runs. What one task leaves out, it takes from all tasks; null is none of it.

    Attributes:
        pool: of Airflow, whose slots bound how many tasks run at the same time.
        queue: of the workers that may take it.
        retries: so many more tries after a failure; refused data and a model that is not blessed are final.
        retry_delay_minutes: between two tries.
        timeout_minutes: then the task is ended, and has failed; None lets it run.
    """

    pool: Name | None = None
    queue: Name | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    retry_delay_minutes: Minutes | None = None
    timeout_minutes: Minutes | None = None

    def among(self, tasks: "Step") -> Self:
        """Return this task with what it takes from all tasks."""
        left_out = Step.model_fields.keys() & type(self).model_fields.keys() - self.model_fields_set
        return self.model_copy(update={name: getattr(tasks, name) for name in left_out})


class Step(Task):
    """A task that is a step of the pipeline.

    Attributes:
        cache: false runs the step anew, although the same inputs were worked on before.
    """

    cache: bool | None = None


class Scoring(Task):
    """A second DAG, which asks the model that serves about all rows of a file.

    Attributes:
        schedule: a cron expression, or None: it runs when it is started.
        rows: path of the file of each run, with Airflow's {{ ds }} and the like.
        output: likewise, of the file to write.
        keep: columns of the rows that are written beside the answers; none writes all.
        label: of the version to ask; None asks the one that serves.
    """

    schedule: Schedule | None = None
    rows: Name
    output: Name
    keep: tuple[Name, ...] = ()
    label: Literal["stable", "canary"] | None = None

    @field_validator("rows")
    @classmethod
    def _of_a_format_by_suffix(cls, rows: str) -> str:
        try:
            format_by_suffix(rows)
        except ValueError as error:
            raise ValueError(f"{error}; let it end in its format, one of .{', .'.join(file_formats())}") from error
        return rows

    @field_validator("output")
    @classmethod
    def _of_a_known_format(cls, output: str) -> str:
        from pipeline.scoring_output import ENDINGS

        if not output.endswith(ENDINGS):
            raise ValueError(f"no file that can be written, got {output!r}; it ends in {', '.join(ENDINGS)}")
        return output


class Airflow(Step):
    """How the steps of a pipeline run as tasks of Apache Airflow.

    Attributes:
        schedule: a cron expression, in UTC, or None: it runs when it is started.
        start_date: the first day with a run.
        catchup: runs for the times between `start_date` and now, too.
        span: what a run reads of data with spans: `latest`, the `day` of its date, or all days of its `interval`; None
            takes `day` where the spans are days.
        command: how `slipway` is started on a worker; None takes that of this installation.
        working_dir: the folder of the project there; None takes this one.
        home: the folder for everything that is written, the same for all tasks; None takes this one.
        env: variables of every task; the values may be templates of Airflow, as those of its connections.
        tags: of the DAGs.
        steps: what is different for one step, by its name.
        scoring: the second DAG.
    """

    schedule: Schedule | None = None
    start_date: date | None = None
    catchup: bool = False
    span: Literal["latest", "day", "interval"] | None = None
    command: Name | tuple[Name, ...] | None = None
    working_dir: Annotated[str, Field(pattern=r"^/")] | None = None
    home: Annotated[str, Field(pattern=r"^/")] | None = None
    env: dict[Variable, Annotated[str, BeforeValidator(_text)]] = {}
    tags: tuple[Name, ...] = ("slipway",)
    steps: dict[str, Step] = {}
    scoring: Annotated[Scoring | None, BeforeValidator(off)] = None

    @model_validator(mode="after")
    def _with_a_start(self) -> "Airflow":
        scheduled = self.schedule or (self.scoring and self.scoring.schedule)
        if scheduled and self.start_date is None:
            raise ValueError(f"a schedule without a start, got {scheduled!r}; add start_date: 2026-01-31")
        if self.catchup and not scheduled:
            raise ValueError("nothing to catch up with, got catchup: true without a schedule; add schedule: '@daily'")
        return self
