"""The benchmark's model as MLflow loads it: code as a model, a SavedModel as its artifact."""

import tensorflow as tf
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class SavedModel(PythonModel):
    """Feed a data frame's columns to serving_default."""

    def load_context(self, context) -> None:
        self.loaded = tf.saved_model.load(context.artifacts["model"])
        self.signature = self.loaded.signatures["serving_default"]
        self.specs = self.signature.structured_input_signature[1]

    def predict(self, context, model_input, params=None):
        tensors = {n: tf.constant(model_input[n].to_numpy(), spec.dtype) for n, spec in self.specs.items()}
        return next(iter(self.signature(**tensors).values())).numpy()


set_model(SavedModel())
