"""Quality of pushed models against baselines of scikit-learn on the very same train and eval rows.

The rows are those of the run's own ExampleGen. Usage, after `slipway run configs/taxi.yaml`:
`python -P benchmarks/quality.py taxi`; without a name, all of `TABLES`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline

from pipeline import config_file
from pipeline.config import Config
from pipeline.home import Home, home_root
from pipeline.prediction import MISSING
from serving.predictor import Predictor

CONFIGS = Path(__file__).parents[1] / "configs"
TEXT = ("payment_type", "company")


def rows(home: Home, split: str) -> pd.DataFrame:
    """Return the rows of one split of the last run, a missing value as NaN or None."""
    folder = max((home.artifacts / "ExampleGen/examples").iterdir(), key=lambda path: int(path.name))
    files = [str(path) for path in sorted((folder / f"Split-{split}").iterdir())]
    found = []
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        row = {}
        for name, feature in tf.train.Example.FromString(record).features.feature.items():
            values = getattr(feature, feature.WhichOneof("kind")).value if feature.WhichOneof("kind") else []
            if values:
                row[name] = values[0].decode() if isinstance(values[0], bytes) else values[0]
        found.append(row)
    return pd.DataFrame(found)


def slipway_answers(home: Home, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the pushed model's outputs by name, each [rows] or [rows, classes]."""
    predictor = Predictor(home.serving / str(home.versions()[-1]))
    columns = {}
    for name, info in predictor.signature("").inputs.items():
        missing = MISSING[info.dtype_name.rstrip("0123456789")]
        columns[name] = [missing if pd.isna(value) else value for value in frame[name]]
        if info.dtype_name == "int64":
            columns[name] = [int(value) for value in columns[name]]
    return predictor.predict(columns)


def taxi(config: Config, home: Home, train: pd.DataFrame, evaluation: pd.DataFrame) -> None:
    """Print AUC, accuracy and log loss beside gradient boosting's."""
    label = config.label.name
    features = [name for name in train if name not in (label, *config.features.exclude)]
    coded = {}
    for split, frame in (("train", train), ("eval", evaluation)):
        coded[split] = frame.reindex(columns=features).copy()
        for name in TEXT:
            kinds = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
            coded[split][name] = frame[name].astype(kinds).cat.codes.replace(-1, np.nan)
    boosting = HistGradientBoostingClassifier(categorical_features=[name in TEXT for name in features], random_state=0)
    boosting.fit(coded["train"], train[label])
    scores = {
        "majority class": np.full(len(evaluation), train[label].mean()),
        "scikit-learn HistGradientBoosting": boosting.predict_proba(coded["eval"])[:, 1],
        "slipway, pushed model": slipway_answers(home, evaluation)["probability"],
    }
    y = evaluation[label]
    print(f"{y.mean():.1%} positive")
    print(f"{'':36}{'AUC':>8}{'accuracy':>10}{'log loss':>10}")
    for name, score in scores.items():
        auc, accuracy = roc_auc_score(y, score), accuracy_score(y, score > 0.5)
        print(f"{name:36}{auc:>8.4f}{accuracy:>10.4f}{log_loss(y, score):>10.4f}")


def docs(config: Config, home: Home, train: pd.DataFrame, evaluation: pd.DataFrame) -> None:
    """Print accuracy beside that of logistic regression on scikit-learn's TF-IDF of words and pairs."""
    label = config.label.name
    y = evaluation[label]
    right = {"most frequent class": (y == train[label].mode()[0]).mean()}
    for strength in (1, 10):
        linear = LogisticRegression(C=strength, max_iter=1000)
        baseline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2, max_features=20_000), linear)
        baseline.fit(train["text"], train[label])
        right[f"scikit-learn TF-IDF, linear, C={strength}"] = baseline.score(evaluation["text"], y)
    answers = slipway_answers(home, evaluation)["label"]
    right["slipway, pushed model"] = (y == [name.decode() for name in answers]).mean()
    print(f"{'':36}{'accuracy':>10}")
    for name, accuracy in right.items():
        print(f"{name:36}{accuracy:>10.4f}")


# By config, what measures it; it prints its table.
TABLES: dict[str, Callable[[Config, Home, pd.DataFrame, pd.DataFrame], None]] = {"taxi": taxi, "docs": docs}


def main() -> None:
    """Print a table for each config."""
    for name in sys.argv[1:] or TABLES:
        config = config_file.read(CONFIGS / f"{name}.yaml").config
        home = Home(home_root(), config.name)
        if not home.versions():
            sys.exit(f"quality: no pushed model {name}; run `slipway run configs/{name}.yaml` first")
        train, evaluation = rows(home, "train"), rows(home, "eval")
        print(f"{name}: {len(train):,} train rows, {len(evaluation):,} eval rows")
        TABLES[name](config, home, train, evaluation)


if __name__ == "__main__":
    main()
