"""A student learns from its teacher, for every task."""

import keras
import numpy as np
import pytest

from models._distillation import Distiller

CLASSES = 3
TASKS = {
    "binary": (lambda: keras.layers.Dense(1, "sigmoid"), "binary_crossentropy"),
    "multiclass": (lambda: keras.layers.Dense(CLASSES, "softmax"), "sparse_categorical_crossentropy"),
    "regression": (lambda: keras.layers.Dense(1), "mse"),
}


def _network(task, units):
    x = keras.Input((4,))
    output = TASKS[task][0]()(keras.layers.Dense(units, "relu")(x))
    return keras.Model(x, output if task == "multiclass" else keras.ops.squeeze(output, -1))


def _distance(first, second, x):
    return float(np.mean(np.abs(first.predict(x, verbose=0) - second.predict(x, verbose=0))))


@pytest.mark.parametrize("task", TASKS)
def test_a_student_comes_to_answer_as_its_teacher_although_the_labels_are_noise(task):
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    x = random.normal(size=(512, 4)).astype(np.float32)
    noise = random.integers(0, CLASSES if task == "multiclass" else 2, 512).astype(np.float32)
    teacher, student = _network(task, 32), _network(task, 8)
    before = _distance(teacher, student, x)
    weights = [weight.copy() for weight in teacher.get_weights()]
    distiller = Distiller(student, teacher, task, temperature=2.0, weight=1.0)
    distiller.compile(keras.optimizers.Adam(0.01), TASKS[task][1])
    distiller.fit(x, noise, epochs=20, batch_size=64, verbose=0)
    assert _distance(teacher, student, x) < 0.4 * before
    assert all(np.array_equal(a, b) for a, b in zip(weights, teacher.get_weights(), strict=True))


def test_without_weight_the_teacher_is_not_asked():
    teacher, student = _network("binary", 32), _network("binary", 8)
    x, y = np.ones((8, 4), np.float32), np.ones(8, np.float32)
    answered = student(x)
    distiller = Distiller(student, teacher, "binary", temperature=2.0, weight=0.0)
    distiller.compile("sgd", "binary_crossentropy")
    hard = keras.ops.mean(keras.losses.binary_crossentropy(y, answered))
    assert float(distiller.compute_loss(x, y, answered)) == pytest.approx(float(hard), rel=1e-5)
