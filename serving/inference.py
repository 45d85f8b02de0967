"""Classify, Regress and MultiInference: serialized tf.Examples in, labels, scores and values out.

Source: servables/tensorflow/classifier.cc, regressor.cc, multi_inference.cc.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.errors import invalid
from serving.signature import Signature, TensorInfo

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
_FLOAT, _STRING = 1, 7
Classifications = list[list[tuple[bytes, float]]]


def find(signatures: dict[str, Signature], name: str, method: str, check_method: bool) -> Signature:
    """Find a signature and check that it can classify or regress.

    Args:
        signatures: of the model.
        name: '' means serving_default.
        method: CLASSIFY or REGRESS.
        check_method: whether the signature's method_name must be `method`.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    name = name or "serving_default"
    signature = signatures.get(name)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name}")
    kind = "classification" if method == CLASSIFY else "regression"
    if check_method and signature.method_name != method:
        raise invalid(f"Expected {kind} signature method_name to be {method}. Was: {signature.method_name}")
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if method == CLASSIFY:
        _check_classify(signature)
    else:
        _check_regress(signature)
    return signature


def _check_classify(signature: Signature) -> None:
    if not 1 <= len(signature.outputs) <= 2:
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if "inputs" not in signature.inputs:
        raise invalid(f"No classification inputs found in SignatureDef: {signature.name}")
    if not {"classes", "scores"} & set(signature.outputs):
        raise invalid(
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            f"Signature was: {signature.name}"
        )
    if len(signature.outputs) == 2 and set(signature.outputs) != {"classes", "scores"}:
        missing = ({"classes", "scores"} - set(signature.outputs)).pop()
        raise invalid(f'Expected classification signature outputs to contain "{missing}": {signature.name}')


def _check_regress(signature: Signature) -> None:
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if "inputs" not in signature.inputs:
        raise invalid(f"No regression inputs found in SignatureDef: {signature.name}")
    if "outputs" not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {signature.name}")


def examples_tensor(serialized: Sequence[bytes]) -> np.ndarray:
    """Serialized tf.Examples as a string tensor [n]; raises ServingError when there are none."""
    if not serialized:
        raise invalid("Input is empty.")
    array: np.ndarray = np.empty(len(serialized), object)
    array[:] = serialized
    return array


def classifications(signature: Signature, outputs: dict[str, np.ndarray], count: int) -> Classifications:
    """Per example, its (label, score) pairs.

    Args:
        signature: from `find`.
        outputs: `classes` bytes [count, k] and/or `scores` float32 [count, k].
        count: number of examples.

    Raises:
        ServingError: INVALID_ARGUMENT, an output of another shape or dtype.
    """
    classes, scores = outputs.get("classes"), outputs.get("scores")
    for name, dtype, spoken in (("classes", _STRING, "DT_STRING"), ("scores", _FLOAT, "DT_FLOAT")):
        array = outputs.get(name)
        if array is None:
            continue
        if array.ndim != 2:
            raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shape(array)}")
        if signature.outputs[name].dtype != dtype:
            raise invalid(f"Expected {name} Tensor of {spoken}. Got: {_enum(signature.outputs[name])}")
        if len(array) != count:
            raise invalid(f"Expected {name} output batch size of {count}. Got: {len(array)}")
    if classes is not None and scores is not None and classes.shape[1] != scores.shape[1]:
        raise invalid(
            f"Tensors class and score should match in dim_size(1). Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    present = classes if classes is not None else scores
    if present is None:
        raise invalid("Expected classification signature outputs to contain at least one of classes, scores")
    width = present.shape[1]
    labels = classes.tolist() if classes is not None else [[b""] * width] * count
    values = scores.tolist() if scores is not None else [[0.0] * width] * count
    return [list(zip(row, value, strict=True)) for row, value in zip(labels, values, strict=True)]


def regressions(signature: Signature, outputs: dict[str, np.ndarray], count: int) -> np.ndarray:
    """One float32 per example, [count], from `outputs` of shape [count] or [count, 1].

    Raises:
        ServingError: INVALID_ARGUMENT, an output of another shape or dtype.
    """
    array = outputs["outputs"]
    if array.ndim != 1 and not (array.ndim == 2 and array.shape[1] == 1):
        raise invalid(
            f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {_shape(array)}"
        )
    if len(array) != count:
        raise invalid(f"Input batch size did not match output batch size: {count} vs. {len(array)}")
    if signature.outputs["outputs"].dtype != _FLOAT:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {_enum(signature.outputs['outputs'])}")
    return array.reshape(-1)


def _shape(array: np.ndarray) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"


def _enum(info: TensorInfo) -> Any:
    from tensorflow.core.framework import types_pb2

    return types_pb2.DataType.Name(info.dtype)


def serialized(given: Any) -> list[bytes]:
    """The Examples of an Input proto, serialized; a context is put in front of each. Source: util.cc."""
    kind = given.WhichOneof("kind")
    if kind == "example_list":
        return [example.SerializeToString() for example in given.example_list.examples]
    if kind == "example_list_with_context":
        context = given.example_list_with_context.context.SerializeToString()
        return [context + example.SerializeToString() for example in given.example_list_with_context.examples]
    return []
