"""Quality of the pushed taxi model against two baselines on the very same train and eval rows.

The rows are those of the run's own ExampleGen. Usage, after `slipway run configs/taxi.yaml`:
`python -P benchmarks/quality.py`.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from pipeline import config_file
from pipeline.home import Home, home_root
from pipeline.prediction import MISSING
from serving.predictor import Predictor

CONFIG = Path(__file__).parents[1] / "configs/taxi.yaml"
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


def slipway_scores(home: Home, frame: pd.DataFrame) -> np.ndarray:
    """Return the pushed model's probabilities, [rows]."""
    predictor = Predictor(home.serving / str(home.versions()[-1]))
    columns = {}
    for name, info in predictor.signature("").inputs.items():
        missing = MISSING[info.dtype_name.rstrip("0123456789")]
        columns[name] = [missing if pd.isna(value) else value for value in frame[name]]
        if info.dtype_name == "int64":
            columns[name] = [int(value) for value in columns[name]]
    return predictor.predict(columns)["probability"]


def main() -> None:
    """Print a table."""
    config = config_file.read(CONFIG).config
    home = Home(home_root(), config.name)
    if not home.versions():
        sys.exit("quality: no pushed taxi model; run `slipway run configs/taxi.yaml` first")
    train, evaluation = rows(home, "train"), rows(home, "eval")
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
        "slipway, pushed model": slipway_scores(home, evaluation),
    }
    y = evaluation[label]
    print(f"{len(train):,} train rows, {len(evaluation):,} eval rows, {y.mean():.1%} positive")
    print(f"{'':36}{'AUC':>8}{'accuracy':>10}{'log loss':>10}")
    for name, score in scores.items():
        auc, accuracy = roc_auc_score(y, score), accuracy_score(y, score > 0.5)
        print(f"{name:36}{auc:>8.4f}{accuracy:>10.4f}{log_loss(y, score):>10.4f}")


if __name__ == "__main__":
    main()
