"""The `mobile` section of the config: which .tflite files are made, and what each must reach."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.section import Section

Variant = Literal["float32", "float16", "dynamic", "int8", "int8_fallback"]


class Wanted(Section):
    """One variant.

    Attributes:
        required: without it, or when it misses a bound below, the folder for phones is not pushed.
        max_bytes: of the file.
        max_latency_ms: for one row, the median, in LiteRT on one thread of the machine that runs the pipeline.
        max_difference: to the SavedModel's answers, on every row of the eval split.
        max_loss: of the task's metric (auc, accuracy, rmse) against the SavedModel's.
    """

    required: bool = False
    max_bytes: Annotated[int | None, Field(gt=0)] = None
    max_latency_ms: Annotated[float | None, Field(gt=0)] = None
    max_difference: Annotated[float | None, Field(ge=0)] = None
    max_loss: float | None = None


class Mobile(Section):
    """What phones get.

    Attributes:
        variants: by name; int8 has integers in every operation, int8_fallback floats where there is no integer one.
        calibration_rows: of the train split, whose ranges the integers cover.
    """

    variants: Annotated[dict[Variant, Wanted], Field(min_length=1)]
    calibration_rows: Annotated[int, Field(gt=0)] = 300
