"""Quality of the pushed models against scikit-learn on the very same train and eval rows.

The rows are those of the run's own ExampleGen. Usage, after `slipway run configs/NAME.yaml` for each name:
`python -P benchmarks/quality.py [NAME …]`; without a name, every one that was pushed. Exit code 1 when a model is worse
than the best baseline by more than a point: of AUC for a binary label, of accuracy for several classes, of R² for a
regression.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pipeline import config_file
from pipeline.config import Config
from pipeline.home import Home, home_root
from pipeline.prediction import MISSING
from serving.predictor import Predictor

CONFIGS = Path(__file__).parents[1] / "configs"
POINT = 0.01

# From features and labels of the train split and the features of the eval split to an answer for each eval row: the
# probability of 1 for a binary label, the class for several, the number for a regression.
Baseline = Callable[[pd.DataFrame, pd.Series, pd.DataFrame], np.ndarray]


def table(estimator: Any) -> Baseline:
    """Return a baseline on raw columns, where a text becomes the number of its category."""

    def answers(train: pd.DataFrame, label: pd.Series, evaluation: pd.DataFrame) -> np.ndarray:
        texts = [name for name in train if train[name].dtype == object]
        kinds = {name: pd.CategoricalDtype(sorted(train[name].dropna().unique())) for name in texts}
        coded = [
            frame.assign(**{name: frame[name].astype(kinds[name]).cat.codes.replace(-1, np.nan) for name in texts})
            for frame in (train, evaluation)
        ]
        if hasattr(estimator, "categorical_features"):
            estimator.set_params(categorical_features=[name in texts for name in train])
        estimator.fit(coded[0], label)
        binary = set(label.unique()) == {0, 1}
        return estimator.predict_proba(coded[1])[:, 1] if binary else estimator.predict(coded[1])

    return answers


def texts(estimator: Any) -> Baseline:
    """Return a baseline on the TF-IDF of words and pairs of the column `text`."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, max_features=20_000)
    return lambda train, label, evaluation: (
        make_pipeline(words, estimator).fit(train["text"], label).predict(evaluation["text"])
    )


def pictures(estimator: Any) -> Baseline:
    """Return a baseline on the pixels of the column `image`."""

    def pixels(frame: pd.DataFrame) -> np.ndarray:
        return np.stack([tf.io.decode_image(image).numpy().ravel() for image in frame["image"]])

    return lambda train, label, evaluation: estimator.fit(pixels(train), label).predict(pixels(evaluation))


# By config; the first one is the answer of who knows only the labels.
BASELINES: dict[str, dict[str, Baseline]] = {
    "taxi": {
        "majority class": table(DummyClassifier(strategy="prior")),
        "scikit-learn HistGradientBoosting": table(HistGradientBoostingClassifier(random_state=0)),
    },
    "penguins": {
        "majority class": table(DummyClassifier()),
        "scikit-learn LogisticRegression": table(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))),
        "scikit-learn HistGradientBoosting": table(HistGradientBoostingClassifier(random_state=0)),
    },
    "diabetes": {
        "mean": table(DummyRegressor()),
        "scikit-learn RidgeCV": table(make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 3, 20)))),
        "scikit-learn HistGradientBoosting": table(HistGradientBoostingRegressor(random_state=0)),
    },
    "breast_cancer": {
        "majority class": table(DummyClassifier(strategy="prior")),
        "scikit-learn LogisticRegression": table(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))),
        "scikit-learn HistGradientBoosting": table(HistGradientBoostingClassifier(random_state=0)),
    },
    "digits": {
        "majority class": pictures(DummyClassifier()),
        "scikit-learn LogisticRegression": pictures(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))),
        "scikit-learn SVC": pictures(make_pipeline(StandardScaler(), SVC())),
    },
    "docs": {
        "majority class": texts(DummyClassifier()),
        "scikit-learn TF-IDF, linear, C=1": texts(LogisticRegression(C=1, max_iter=1000)),
        "scikit-learn TF-IDF, linear, C=10": texts(LogisticRegression(C=10, max_iter=1000)),
    },
}

# By task, (name, function of labels and answers); the first decides, and more of it is better.
METRICS: dict[str, list[tuple[str, Callable[[Any, Any], float]]]] = {
    "binary": [
        ("AUC", metrics.roc_auc_score),
        ("accuracy", lambda y, score: metrics.accuracy_score(y, score > 0.5)),
        ("log loss", metrics.log_loss),
    ],
    "multiclass": [
        ("accuracy", metrics.accuracy_score),
        ("macro F1", lambda y, label: metrics.f1_score(y, label, average="macro")),
    ],
    "regression": [
        ("R²", metrics.r2_score),
        ("RMSE", lambda y, number: metrics.mean_squared_error(y, number) ** 0.5),
        ("MAE", metrics.mean_absolute_error),
    ],
}


def rows(home: Home, split: str) -> pd.DataFrame:
    """Return the rows of one split of the last run, a missing value as NaN or None; bytes that are no text stay."""
    folder = max((home.artifacts / "ExampleGen/examples").iterdir(), key=lambda path: int(path.name))
    files = [str(path) for path in sorted((folder / f"Split-{split}").iterdir())]
    found = []
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        row = {}
        for name, feature in tf.train.Example.FromString(record).features.feature.items():
            values = getattr(feature, feature.WhichOneof("kind")).value if feature.WhichOneof("kind") else []
            if values:
                row[name] = text(values[0]) if isinstance(values[0], bytes) else values[0]
        found.append(row)
    return pd.DataFrame(found)


def text(value: bytes) -> str | bytes:
    """Return bytes as text, if they are one."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def slipway_answers(home: Home, frame: pd.DataFrame) -> np.ndarray:
    """Return the pushed model's answer for each row, as a baseline's."""
    predictor = Predictor(home.serving / str(home.versions()[-1]))
    columns = {}
    for name, info in predictor.signature("").inputs.items():
        missing = MISSING[info.dtype_name.rstrip("0123456789")]
        columns[name] = [missing if pd.isna(value) else value for value in frame[name]]
        if info.dtype_name == "int64":
            columns[name] = [int(value) for value in columns[name]]
    found = predictor.predict(columns)
    if "label" in found:
        return np.array([label.decode() for label in found["label"]])
    return found["probability"] if "probability" in found else found["prediction"]


def compare(config: Config, home: Home) -> bool:
    """Print the table of one config, and return whether its model is within a point of the best baseline."""
    train, evaluation = rows(home, "train"), rows(home, "eval")
    label, task = config.label.name, config.label.task
    if task == "binary" and config.label.classes:
        for frame in (train, evaluation):
            frame[label] = frame[label].map(config.label.classes.index)
    features = [name for name in train if name not in (label, *config.features.exclude)]
    answers = {
        name: baseline(train[features], train[label], evaluation.reindex(columns=features))
        for name, baseline in BASELINES[config.name].items()
    }
    answers["slipway, pushed model"] = slipway_answers(home, evaluation)
    print(f"\n{config.name}: {len(train):,} train rows, {len(evaluation):,} eval rows")
    print(f"{'':36}" + "".join(f"{name:>10}" for name, _ in METRICS[task]))
    for name, answer in answers.items():
        print(f"{name:36}" + "".join(f"{metric(evaluation[label], answer):>10.4f}" for _, metric in METRICS[task]))
    what, metric = METRICS[task][0]
    *baselines, ours = (metric(evaluation[label], answer) for answer in answers.values())
    points = (ours - max(baselines)) / POINT
    print(f"{points:+.2f} points of {what} against the best baseline: {'holds' if points >= -1 else 'FAILS'}")
    return points >= -1


def main() -> None:
    """Print a table for each config."""
    asked = sys.argv[1:] or list(BASELINES)
    held = []
    for name in asked:
        config = config_file.read(CONFIGS / f"{name}.yaml").config
        home = Home(home_root(), config.name)
        if home.versions():
            held.append(compare(config, home))
        elif sys.argv[1:]:
            sys.exit(f"quality: no pushed model of {name}; run `slipway run configs/{name}.yaml` first")
    if not held:
        sys.exit(f"quality: no pushed model of {', '.join(asked)}; run `slipway run configs/{asked[0]}.yaml` first")
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
