"""What the embedded server is measured against: the same model in process, behind FastAPI, and behind MLflow.

Started with `python -P benchmarks/serving_rivals.py`: `standin DIR` writes a taxi-shaped SavedModel, `rows MODEL FILE`
256 rows that fit a model, `mlflow MODEL DIR` an MLflow model for `mlflow models serve`; `fastapi MODEL PORT` is a plain
FastAPI app that calls the signature.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

FLOATS = (
    "trip_miles",
    "fare",
    "trip_seconds",
    "pickup_latitude",
    "pickup_longitude",
    "dropoff_latitude",
    "dropoff_longitude",
)
INTS = ("trip_start_hour", "trip_start_day", "trip_start_month", "pickup_community_area", "dropoff_community_area",
        "pickup_census_tract", "dropoff_census_tract", "trip_start_timestamp")  # fmt: skip
STRINGS = ("payment_type", "company")


def write_standin(path: str) -> None:
    """A wide and deep model over 17 raw features, as the taxi pipeline makes one: buckets, vocabularies, two layers."""
    import tensorflow as tf

    words = [f"company {n}" for n in range(100)] + ["Cash", "Credit Card"]
    model = tf.Module()
    init = tf.lookup.KeyValueTensorInitializer(words, list(range(len(words))), tf.string, tf.int64)
    model.table = tf.lookup.StaticHashTable(init, -1)
    width = len(FLOATS) + 16 * (len(INTS) + len(STRINGS))
    shapes = [(width, 64), (64, 32), (32, 1)]
    model.weights = [tf.Variable(tf.random.normal(shape, stddev=0.1)) for shape in shapes]

    def features(raw: dict[str, Any]) -> Any:
        parts = [tf.math.tanh((raw[name] - 1.0) / 3.0)[:, None] for name in FLOATS]
        parts += [tf.one_hot(raw[name] % 16, 16) for name in INTS]
        parts += [tf.one_hot(model.table.lookup(tf.strings.lower(raw[name])) % 16, 16) for name in STRINGS]
        return tf.concat(parts, axis=1)

    specs = {n: tf.TensorSpec([None], tf.float32, name=n) for n in FLOATS}
    specs |= {n: tf.TensorSpec([None], tf.int64, name=n) for n in INTS}
    specs |= {n: tf.TensorSpec([None], tf.string, name=n) for n in STRINGS}

    @tf.function(input_signature=[specs])
    def serve(raw):
        hidden = features(raw)
        for weights in model.weights[:-1]:
            hidden = tf.nn.relu(hidden @ weights)
        return {"score": tf.sigmoid(hidden @ model.weights[-1])}

    model.serve = serve
    tf.saved_model.save(model, path, signatures={"serving_default": serve})


def rows_for(model: str, count: int) -> list[dict[str, Any]]:
    """Random rows that fit the model's serving_default."""
    from serving.predictor import Predictor

    random.seed(0)
    predictor = Predictor(model)
    inputs = predictor.signature("serving_default").inputs
    predictor.close()
    return [{name: value_for(info.dtype_name, name) for name, info in inputs.items()} for _ in range(count)]


def value_for(dtype: str, name: str) -> Any:
    """A plausible random value."""
    if dtype == "string":
        return random.choice(["Cash", "Credit Card"]) if name == "payment_type" else f"company {random.randrange(99)}"
    return round(random.uniform(0, 40), 3) if dtype in ("float", "double") else random.randrange(24)


def fastapi_app(model: str) -> Any:
    """What people write: parse, make tensors, call the signature, return lists."""
    import tensorflow as tf
    from fastapi import FastAPI

    loaded = tf.saved_model.load(model)
    signature = loaded.signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    app = FastAPI()

    @app.post("/predict")
    def predict(body: dict) -> dict:
        rows = body["instances"]
        tensors = {n: tf.constant([row[n] for row in rows], spec.dtype) for n, spec in specs.items()}
        outputs = signature(**tensors)
        return {"predictions": next(iter(outputs.values())).numpy().tolist()}

    app.state.keep = loaded
    return app


def write_mlflow(model: str, path: str) -> None:
    """The model as MLflow's pyfunc flavour, whose server gives it data frames."""
    import mlflow

    mlflow.pyfunc.save_model(
        path, python_model=str(Path(__file__).with_name("serving_pyfunc.py")), artifacts={"model": model}
    )


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    if kind == "standin":
        write_standin(arguments[0])
    elif kind == "rows":
        Path(arguments[1]).write_text(json.dumps(rows_for(arguments[0], 256)))
    elif kind == "mlflow":
        write_mlflow(*arguments)
    else:
        import uvicorn

        uvicorn.run(
            fastapi_app(arguments[0]), host="127.0.0.1", port=int(arguments[1]), log_level="error", access_log=False
        )
