"""Accuracy of a pushed model of pictures against baselines on the very same train and eval rows.

The rows are those of the run's own ExampleGen, the pixels those of its own Transform. Usage, after `slipway run
configs/digits.yaml`: `python -P benchmarks/quality_pictures.py [CONFIG]`.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pipeline import config_file
from pipeline.home import Home, home_root
from serving.predictor import Predictor

CONFIG = Path(__file__).parents[1] / "configs/digits.yaml"
BASELINES = {
    "majority class": DummyClassifier(),
    "scikit-learn LogisticRegression, pixels": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    "scikit-learn SVC, pixels": make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)),
}


def split(
    home: Home, predictor: Predictor, name: str, label: str
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return pixels [n, values], labels [n] and the model's answers for one split of the last run."""
    folder = max((home.artifacts / "ExampleGen/examples").iterdir(), key=lambda path: int(path.name))
    files = [str(path) for path in sorted((folder / f"Split-{name}").iterdir())]
    examples = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    features = predictor.predict({"examples": examples}, "transform_features")
    labels = features.pop(f"{label}_label")
    (pixels,) = features.values()
    answer = predictor.predict({"examples": examples}, "serving_examples")
    return pixels.reshape(len(pixels), -1), labels, answer


def main() -> None:
    """Print a table."""
    config = config_file.read(Path(sys.argv[1]) if sys.argv[1:] else CONFIG).config
    home = Home(home_root(), config.name)
    if not home.versions():
        sys.exit(f"quality: no pushed model {config.name}; run its config first")
    predictor = Predictor(home.serving / str(home.versions()[-1]))
    x, y, _ = split(home, predictor, "train", config.label.name)
    x_eval, y_eval, answer = split(home, predictor, "eval", config.label.name)
    print(f"{len(y):,} train rows, {len(y_eval):,} eval rows, {x.shape[1]} values a picture")
    print(f"{'':42}{'accuracy':>10}{'log loss':>10}")
    scores = {name: model.fit(x, y).predict_proba(x_eval) for name, model in BASELINES.items()}
    probabilities = answer["probabilities"].astype(np.float64)
    scores["slipway, pushed model"] = probabilities / probabilities.sum(axis=1, keepdims=True)
    for name, score in scores.items():
        accuracy = accuracy_score(y_eval, score.argmax(axis=1))
        print(f"{name:42}{accuracy:>10.4f}{log_loss(y_eval, score, labels=range(score.shape[1])):>10.4f}")


if __name__ == "__main__":
    main()
