"""The user module of the stock pipeline: the same features, network, trials and steps as configs/taxi.yaml.

Written the way TFX's taxi template and tutorials write it: `module_file`, one analyzer per feature, materialized
examples read through `fn_args.data_accessor`, a repeated dataset with a number of steps.
"""

import json

import keras
import keras_tuner
import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx
from tfx_bsl.public import tfxio

LABEL = "big_tipper"
LOGS = {"fare": 40, "trip_miles": 20, "trip_seconds": 20}
NUMBERS = (
    "trip_start_timestamp", "pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude",
)  # fmt: skip
IDS = (
    "pickup_community_area", "dropoff_community_area", "dropoff_census_tract", "trip_start_month", "trip_start_hour",
    "trip_start_day", "payment_type", "company",
)  # fmt: skip
BATCH = 128


def _dense(x, default):
    if isinstance(x, tf.SparseTensor):
        x = tf.sparse.to_dense(tf.SparseTensor(x.indices, x.values, [x.dense_shape[0], 1]), default)
    return tf.squeeze(x, axis=1)


def preprocessing_fn(inputs):
    """Return the transformed features, one analyzer each."""
    outputs = {}
    for name in NUMBERS:
        outputs[f"{name}_xf"] = tft.scale_to_z_score(tf.cast(_dense(inputs[name], 0), tf.float32))
    for name, buckets in LOGS.items():
        x = tf.cast(_dense(inputs[name], 0), tf.float32)
        outputs[f"{name}_xf"] = tft.scale_to_z_score(tf.math.log1p(x))
        outputs[f"{name}_id"] = tft.bucketize(x, buckets)
    for name in IDS:
        text = name in ("payment_type", "company")
        x = _dense(inputs[name], "" if text else -1)
        outputs[f"{name}_id"] = tft.compute_and_apply_vocabulary(
            x if text else tf.strings.as_string(x), num_oov_buckets=1, vocab_filename=name
        )
    outputs[LABEL] = tf.cast(_dense(inputs[LABEL], 0), tf.int64)
    return outputs


def _dataset(patterns, accessor, graph):
    options = tfxio.TensorFlowDatasetOptions(batch_size=BATCH, label_key=LABEL)
    return accessor.tf_dataset_factory(patterns, options, graph.transformed_metadata.schema).repeat()


def _build(hp, graph):
    features = [f for f in graph.transformed_metadata.schema.feature if f.name != LABEL]
    numbers = {f.name: keras.Input((), name=f.name) for f in features if not f.int_domain.is_categorical}
    ids = {f.name: keras.Input((), name=f.name, dtype="int64") for f in features if f.int_domain.is_categorical}
    sizes = {f.name: f.int_domain.max + 1 for f in features if f.int_domain.is_categorical}
    dense = keras.ops.stack(list(numbers.values()), axis=-1)
    wide = [keras.layers.Dense(1)(dense)] + [keras.layers.Embedding(sizes[n], 1)(x) for n, x in ids.items()]
    embedded = [keras.layers.Embedding(sizes[n], max(2, round(sizes[n] ** 0.25)))(x) for n, x in ids.items()]
    deep = keras.layers.concatenate([dense, *embedded])
    for _ in range(2):
        deep = keras.layers.Dense(hp.get("hidden_units"), activation="relu")(deep)
        deep = keras.layers.Dropout(hp.get("dropout"))(deep)
    output = keras.layers.Activation("sigmoid")(keras.layers.add([keras.layers.Dense(1)(deep), *wide]))
    model = keras.Model(numbers | ids, output)
    model.compile(
        optimizer=keras.optimizers.Adam(hp.get("learning_rate")),
        loss="binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc"), keras.metrics.BinaryAccuracy(name="accuracy")],
    )
    return model


def _space():
    hp = keras_tuner.HyperParameters()
    hp.Float("learning_rate", 0.0005, 0.01, sampling="log")
    hp.Choice("hidden_units", [32, 64, 128])
    hp.Choice("dropout", [0.0, 0.2, 0.4])
    return hp


def _fit_args(fn_args, graph, epochs):
    steps = fn_args.train_steps
    return {
        "x": _dataset(fn_args.train_files, fn_args.data_accessor, graph),
        "validation_data": _dataset(fn_args.eval_files, fn_args.data_accessor, graph),
        "steps_per_epoch": steps,
        "validation_steps": fn_args.eval_steps,
        "epochs": epochs,
    }


def tuner_fn(fn_args):
    """Return the tuner and the arguments of its search."""
    graph = tft.TFTransformOutput(fn_args.transform_graph_path)
    tuner = keras_tuner.RandomSearch(
        lambda hp: _build(hp, graph),
        objective=keras_tuner.Objective("val_auc", "max"),
        max_trials=fn_args.custom_config["trials"],
        seed=1,
        hyperparameters=_space(),
        tune_new_entries=False,
        directory=fn_args.working_dir,
    )
    epochs = fn_args.custom_config["trial_epochs"]
    return tfx.components.TunerFnResult(tuner=tuner, fit_kwargs=_fit_args(fn_args, graph, epochs))


def run_fn(fn_args):
    """Train and export."""
    graph = tft.TFTransformOutput(fn_args.transform_output)
    hp = keras_tuner.HyperParameters.from_config(json.loads(json.dumps(fn_args.hyperparameters)))
    model = _build(hp, graph)
    callbacks = [keras.callbacks.TensorBoard(fn_args.model_run_dir)]
    model.fit(**_fit_args(fn_args, graph, fn_args.custom_config["epochs"]), callbacks=callbacks)
    layer = graph.transform_features_layer()
    spec = graph.raw_feature_spec()
    del spec[LABEL]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serving_default(examples):
        features = layer(tf.io.parse_example(examples, spec))
        return {"outputs": model({name: features[name] for name in features if name != LABEL})}

    model.graph_layer = layer
    tf.saved_model.save(model, fn_args.serving_model_dir, signatures={"serving_default": serving_default})
