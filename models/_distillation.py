"""A small network taught by a large one.

Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015: the student learns the labels and,
softened by a temperature, what the teacher says of the same rows.
"""

from typing import Any

import keras


class Distiller(keras.Model):
    """Trains a student; its answers and metrics are the student's.

    Args:
        student: the network that learns, from features to probabilities [n] or [n, classes], or values [n].
        teacher: a trained network with the same inputs and outputs; it does not change.
        task: binary, multiclass or regression.
        temperature: above 1 softens the teacher's probabilities; a regression has none.
        weight: of the teacher in the loss; the labels have the rest.
    """

    def __init__(
        self, student: keras.Model, teacher: keras.Model, task: str, *, temperature: float, weight: float
    ) -> None:
        super().__init__()
        teacher.trainable = False
        self.student, self.teacher = student, teacher
        self._task, self._temperature, self._weight = task, temperature, weight

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the student's answers."""
        return self.student(inputs, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the loss of the labels; in training, mixed with that of the teacher's answers."""
        hard = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return hard
        soft = self._soft_loss(self.teacher(x, training=False), y_pred)
        if sample_weight is not None:
            soft = soft * sample_weight
        return (1 - self._weight) * hard + self._weight * keras.ops.mean(soft)

    def _soft_loss(self, taught: Any, answered: Any) -> Any:
        """Return the distance of two answers, [n]; times the temperature squared, so that gradients keep their size."""
        if self._task == "regression":
            return keras.ops.square(taught - answered)
        if self._task == "binary":
            taught, answered = (keras.ops.stack([1 - p, p], axis=-1) for p in (taught, answered))
        taught, answered = (self._softened(p) for p in (taught, answered))
        return self._temperature**2 * keras.losses.kl_divergence(taught, answered)

    def _softened(self, probabilities: Any) -> Any:
        logits = keras.ops.log(keras.ops.clip(probabilities, 1e-7, 1.0))
        return keras.ops.softmax(logits / self._temperature, axis=-1)
