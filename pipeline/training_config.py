"""The `training` section of the config: how the final model, and every trial, is trained."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline import names
from pipeline.metrics import Task
from pipeline.section import Section, named, off

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]

# By task, what an epoch measures; with val_ before it, on the eval split.
MEASURED: dict[Task, tuple[str, ...]] = {
    "binary": ("loss", "auc", "accuracy"),
    "multiclass": ("loss", "accuracy"),
    "regression": ("loss", "rmse", "mae"),
}


class Optimizer(Section):
    """What every optimizer takes, by Keras's names; what is not given is Keras's default.

    Attributes:
        weight_decay: per step, times the learning rate.
        clipnorm: the longest gradient of one variable.
        clipvalue: the largest part of a gradient.
        global_clipnorm: the longest gradient of all variables together.
    """

    weight_decay: Annotated[float | None, Field(ge=0)] = None
    clipnorm: Positive | None = None
    clipvalue: Positive | None = None
    global_clipnorm: Positive | None = None

    @model_validator(mode="after")
    def _one_way_to_clip(self) -> "Optimizer":
        given = sorted(self.model_fields_set & {"clipnorm", "clipvalue", "global_clipnorm"})
        if len(given) > 1:
            raise ValueError(f"gradients are clipped in one way, got {', '.join(given)}; keep one")
        return self


class Adam(Optimizer):
    """Kingma & Ba, ICLR 2015."""

    kind: Literal["adam"]
    beta_1: Fraction | None = None
    beta_2: Fraction | None = None
    epsilon: Positive | None = None
    amsgrad: bool | None = None


class AdamW(Adam):
    """Adam whose weight decay is no part of the gradient: Loshchilov & Hutter, ICLR 2019."""

    kind: Literal["adamw"]  # type: ignore[assignment]


class Sgd(Optimizer):
    """Gradient descent, with momentum on request."""

    kind: Literal["sgd"]
    momentum: Fraction | None = None
    nesterov: bool | None = None


class RmsProp(Optimizer):
    """Gradients over a moving average of their size."""

    kind: Literal["rmsprop"]
    rho: Fraction | None = None
    momentum: Fraction | None = None
    epsilon: Positive | None = None
    centered: bool | None = None


class Schedule(Section):
    """What every schedule takes.

    Attributes:
        warmup_epochs: the learning rate rises from 0 in a line over so many; a part of one is possible.
    """

    warmup_epochs: Annotated[float, Field(ge=0)] = 0


class Constant(Schedule):
    """The learning rate stays, after the warm-up."""

    kind: Literal["constant"]


class Cosine(Schedule):
    """Half a wave down.

    Attributes:
        decay_epochs: how long; None takes all that the warm-up leaves.
        alpha: where it ends, as a fraction of the learning rate.
    """

    kind: Literal["cosine"]
    decay_epochs: Positive | None = None
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.0


class Exponential(Schedule):
    """Times `decay_rate` in every `decay_epochs`.

    Attributes:
        staircase: at their end, all at once.
    """

    kind: Literal["exponential"]
    decay_rate: Annotated[float, Field(gt=0, le=1)]
    decay_epochs: Positive = 1
    staircase: bool = False


class Piecewise(Schedule):
    """In steps.

    Attributes:
        boundaries: the epochs, counted from the end of the warm-up, after which a step is.
        factors: of the learning rate, before the first step and after each.
    """

    kind: Literal["piecewise"]
    boundaries: Annotated[tuple[Positive, ...], Field(min_length=1)]
    factors: tuple[Positive, ...]

    @model_validator(mode="after")
    def _a_factor_for_every_piece(self) -> "Piecewise":
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries rise, got {list(self.boundaries)}; sort them")
        if len(self.factors) != len(self.boundaries) + 1:
            given = f"{len(self.factors)} factors for {len(self.boundaries)} boundaries"
            raise ValueError(f"there is one factor more than boundaries, got {given}; the first is often 1")
        return self


class ReduceOnPlateau(Section):
    """A learning rate that falls when the monitored metric does not get better: keras.callbacks.ReduceLROnPlateau.

    Attributes:
        factor: times so much.
        patience: after so many epochs without a better value.
        min_delta: what is not better by so much is not better.
        cooldown: epochs to wait after a fall.
        min_lr: no lower.
    """

    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=0)] = 1
    min_delta: Annotated[float, Field(ge=0)] = 1e-4
    cooldown: Annotated[int, Field(ge=0)] = 0
    min_lr: Annotated[float, Field(ge=0)] = 0.0


class TensorBoard(Section):
    """What TensorBoard gets beside the curves: keras.callbacks.TensorBoard.

    Attributes:
        profile_batch: the batch, or the first and the last one, that the profiler looks at; 0 is none.
        histogram_freq: epochs between histograms of the weights; 0 is none.
    """

    profile_batch: Annotated[int, Field(ge=0)] | Annotated[list[int], Field(min_length=2, max_length=2)] = 0
    histogram_freq: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _batches_in_order(self) -> "TensorBoard":
        got = self.profile_batch
        if isinstance(got, list) and not 0 < got[0] <= got[1]:
            raise ValueError(f"profile_batch is the first and the last batch, counted from 1, got {got}; swap them")
        return self


class Distillation(Section):
    """A small network taught by the tuned one; it is the small one that is evaluated and pushed.

    Attributes:
        student: the hyperparameters in which the student differs from its teacher.
        temperature: softens the teacher's probabilities; 1 leaves them as they are.
        weight: of the teacher in the loss; the labels have the rest.
    """

    student: Annotated[dict[str, Any], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=1)] = 2.0
    weight: Annotated[float, Field(ge=0, le=1)] = 0.5


def _optimizer(value: Any) -> Any:
    return named(value, ("adam", "adamw", "sgd", "rmsprop"), what="optimizer")


def _schedule(value: Any) -> Any:
    return named(value, ("constant", "cosine", "exponential", "piecewise"), what="schedule")


def _on(value: Any) -> Any:
    """`reduce_on_plateau: true` takes the defaults."""
    return {} if value is True else off(value)


class Training(Section):
    """How the final model, and every trial, is trained.

    Attributes:
        epochs: at most so many.
        batch_size, eval_batch_size: rows per step, of training and of validation.
        optimizer: by Keras's name; its learning rate is the hyperparameter `learning_rate`.
        schedule: of the learning rate, from that hyperparameter on.
        reduce_on_plateau: let it fall when the monitored metric does not get better, instead of by a schedule.
        monitor: the metric that early stopping and `reduce_on_plateau` look at.
        patience: stop after so many epochs without a better one, and keep the best weights.
        min_delta: what is not better by so much is not better.
        tensorboard: a profile and histograms.
        class_weight: balanced makes every class count the same in total.
        sample_weight: the column that weighs rows, in training, validation and evaluation; it is no feature.
        seed: of weights, shuffling and dropout.
        deterministic: TensorFlow takes operations that give the same bits every time; they may be slower.
        precision: of the layers while they train; weights, and what is exported, are float32.
        strategy: mirrored copies the model to every GPU, one does not, auto does where there are several.
        distillation: after the training, teach a smaller network.
        warm_start: begin with the weights of the last blessed model, where they fit.
    """

    epochs: Annotated[int, Field(gt=0)] = 20
    batch_size: Annotated[int, Field(gt=0)] = 128
    eval_batch_size: Annotated[int, Field(gt=0)] = 4096
    optimizer: Annotated[
        Annotated[Adam | AdamW | Sgd | RmsProp, Field(discriminator="kind")], BeforeValidator(_optimizer)
    ] = Adam(kind="adam")
    schedule: Annotated[
        Annotated[Constant | Cosine | Exponential | Piecewise, Field(discriminator="kind")], BeforeValidator(_schedule)
    ] = Constant(kind="constant")
    reduce_on_plateau: Annotated[ReduceOnPlateau | None, BeforeValidator(_on)] = None
    monitor: str = "val_loss"
    patience: Annotated[int, Field(ge=0)] = 3
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    tensorboard: TensorBoard = TensorBoard()
    class_weight: Literal["none", "balanced"] = "none"
    sample_weight: str | None = None
    seed: int = 1
    deterministic: bool = False
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    strategy: Literal["auto", "mirrored", "one"] = "auto"
    distillation: Annotated[Distillation | None, BeforeValidator(off)] = None
    warm_start: bool = False

    @model_validator(mode="after")
    def _one_way_to_fall(self) -> "Training":
        if self.reduce_on_plateau and self.schedule != Constant(kind="constant"):
            raise ValueError(
                f"the learning rate falls by a schedule or on a plateau, got schedule {self.schedule.kind!r} and "
                "reduce_on_plateau; keep one"
            )
        return self


def require_monitor(monitor: str, task: Task) -> None:
    """Raise ValueError unless an epoch measures what is to be monitored."""
    known = [prefix + name for prefix in ("val_", "") for name in MEASURED[task]]
    names.require(monitor, known, what=f"metric of a {task} label")
