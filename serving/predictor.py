"""A SavedModel in a TF1-style session, which is how TensorFlow Serving runs one.

The session is asked through a callable made from tensor names, so no shape is compared with the signature: what the
graph can compute is computed, and only a kernel can object. Source: tf_serving's predict_util.cc feeds and fetches
names; tensorflow/core/protobuf/config.proto, CallableOptions.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.errors import ServingError, from_exception, invalid
from serving.signature import STRING, Signature, TensorInfo, read_signatures
from serving.tensor_proto import to_array

DEFAULT_SIGNATURE = "serving_default"
# Operations that may run, or wait, for ever; a graph without them ends by itself.
_ENDLESS = re.compile("While|NextIteration|Dequeue|Dataset|Iterator|Barrier|Stage|PyFunc|Recv")
# A shorter limit is meant for the model at hand, and not as a net.
_SHORT_S = 1.0


class Predictor:
    """One loaded SavedModel; safe to use from several threads at once.

    Args:
        path: folder with saved_model.pb.
        tags: the meta graph to load.
        timeout_s: a step that runs longer is cancelled with DEADLINE_EXCEEDED; None or 0 lets it run. TensorFlow can
            only cancel what runs on threads of its own, which costs more than a small graph does: a graph that cannot
            hang is given no limit of a second or more.
        threads: intra-op and inter-op threads of the session; 0 leaves the choice to TensorFlow.

    Raises:
        ServingError: NOT_FOUND when there is no such model or tag set, otherwise the code of what went wrong.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        tags: Sequence[str] = ("serve",),
        timeout_s: float | None = None,
        threads: tuple[int, int] = (0, 0),
    ) -> None:
        self.path = str(path)
        self._callables: dict[Any, tuple[Callable[..., list[Any]], list[str]]] = {}
        self._lock = threading.Lock()
        self._session, meta_graph = _load(self.path, list(tags), threads)
        self.signature_defs = meta_graph.signature_def
        self.signatures: dict[str, Signature] = read_signatures(self.signature_defs, to_array)
        self._timeout_ms = 0
        if timeout_s and (timeout_s < _SHORT_S or _may_hang(meta_graph)):
            self._timeout_ms = max(1, int(timeout_s * 1000))

    def predict(
        self,
        inputs: Mapping[str, Any],
        signature_name: str = DEFAULT_SIGNATURE,
        outputs: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Run a signature on anything numpy can hold; values are cast to the signature's dtypes first.

        Args:
            inputs: by input name, arrays or nested lists; str and bytes both feed a string tensor.
            signature_name: which signature.
            outputs: names to compute; None computes all.

        Returns:
            Arrays by output name; a string tensor comes back as an object array of bytes.

        Raises:
            ServingError: unknown signature, input or output, a value that does not fit, or the graph objects.
        """
        signature = self.signature(signature_name)
        unknown, missing = set(inputs) - set(signature.inputs), set(signature.inputs) - set(inputs)
        if unknown or missing - set(signature.defaults):
            raise invalid(
                f"{signature_name}: wrong inputs, got {', '.join(sorted(inputs))}; "
                f"expected {', '.join(signature.input_names)}"
            )
        cast = {name: as_tensor(value, signature.inputs[name]) for name, value in inputs.items()}
        return self.run(signature, cast, outputs)

    def signature(self, name: str) -> Signature:
        """Find a signature; '' means serving_default. Raises ServingError (INVALID_ARGUMENT) for an unknown one."""
        try:
            return self.signatures[name or DEFAULT_SIGNATURE]
        except KeyError:
            known = ", ".join(sorted(self.signatures))
            raise invalid(f"signature: unknown name, got {name}; the model has {known}") from None

    def run(
        self,
        signature: Signature,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Feed arrays of the right dtype and fetch outputs, with no check of names or shapes.

        Raises:
            ServingError: with TensorFlow's own code and text.
        """
        if len(inputs) != len(signature.inputs):
            inputs = {**signature.defaults, **inputs}
        fed = signature.input_names if len(inputs) == len(signature.inputs) else tuple(sorted(inputs))
        step, names = self._callable(signature, fed, None if outputs is None else tuple(outputs))
        try:
            fetched = step(*[inputs[name] for name in fed])
        except Exception as error:  # noqa: BLE001  (TensorFlow raises its own kinds, and builtins)
            raise from_exception(error) from None
        arrays = [value if isinstance(value, np.ndarray) else _scalar(value) for value in fetched]
        return dict(zip(names, arrays, strict=True))

    def close(self) -> None:
        """Free the session; call it when no run is under way."""
        with self._lock:
            self._callables.clear()
            self._session.close()

    def _callable(
        self, signature: Signature, fed: tuple[str, ...], wanted: tuple[str, ...] | None
    ) -> tuple[Callable[..., list[Any]], list[str]]:
        key = (signature.name, fed, wanted)
        found = self._callables.get(key)
        if found is None:
            with self._lock:
                found = self._callables[key] = self._make_callable(signature, fed, wanted)
        return found

    def _make_callable(
        self, signature: Signature, fed: tuple[str, ...], wanted: tuple[str, ...] | None
    ) -> tuple[Callable[..., list[Any]], list[str]]:
        from tensorflow.core.protobuf import config_pb2

        names = list(signature.outputs if wanted is None else wanted)
        options = config_pb2.CallableOptions(
            feed=[signature.inputs[name].tensor for name in fed],
            fetch=[signature.outputs[name].tensor for name in names],
        )
        if self._timeout_ms:
            options.run_options.timeout_in_ms = self._timeout_ms
        else:
            options.run_options.inter_op_thread_pool = -1  # in the calling thread
        return self._session._make_callable_from_options(options), names


def as_tensor(value: Any, info: TensorInfo) -> np.ndarray:
    """Cast a value to the dtype of `info`; raises ServingError when it does not fit."""
    if info.dtype == STRING:
        # Not numpy's own text types: they drop zero bytes at the end, and a serialized proto may end in one.
        array = np.asarray(value) if isinstance(value, np.ndarray) else np.asarray(value, object)
        if array.dtype.kind in "SU":
            array = array.astype(object)
        if array.dtype.kind != "O":
            raise invalid(f"{info.alias}: wrong type, got {array.dtype}; a string tensor takes str or bytes")
        flat = [item.encode() if isinstance(item, str) else item for item in array.ravel().tolist()]
        bad = next((item for item in flat if not isinstance(item, bytes)), None)
        if bad is not None or None in flat:
            raise invalid(f"{info.alias}: wrong value, got {bad!r}; a string tensor takes str or bytes")
        encoded: np.ndarray = np.empty(len(flat), object)
        encoded[:] = flat
        return encoded.reshape(array.shape)
    try:
        return np.asarray(value, info.numpy_dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid(f"{info.alias}: wrong value, got {error}; the tensor is {info.dtype_name}") from None


def _scalar(value: Any) -> np.ndarray:
    """TensorFlow gives a rank-0 output as a bare value."""
    return np.array(value, object if isinstance(value, bytes) else None)


def _may_hang(meta_graph: Any) -> bool:
    """Return whether a graph has an operation that may never end; true where it does not say what it has."""
    operations = meta_graph.meta_info_def.stripped_op_list.op
    return not operations or any(_ENDLESS.search(operation.name) for operation in operations)


def _load(path: str, tags: list[str], threads: tuple[int, int]) -> tuple[Any, Any]:
    import tensorflow as tf

    if not tf.saved_model.contains_saved_model(path):
        what = f"Could not find SavedModel .pb or .pbtxt at supplied export directory path: {path}"
        raise ServingError("NOT_FOUND", what)
    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads[0], inter_op_parallelism_threads=threads[1], allow_soft_placement=True
    )
    session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    try:
        with session.graph.as_default():
            meta_graph = tf.compat.v1.saved_model.load(session, tags, path)
    except OSError as error:  # what the loader raises for a file that is no graph
        session.close()
        raise ServingError("DATA_LOSS", str(error)) from error
    except Exception as error:
        session.close()
        raise from_exception(error) from error
    return session, meta_graph
