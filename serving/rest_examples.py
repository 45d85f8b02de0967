"""The body of classify and regress to serialized tf.Examples. Source: util/json_tensor.cc, AddFeature."""

from typing import Any

from serving.base64_text import decode_object, is_base64
from serving.errors import invalid
from serving.json_show import type_name

_MAX_INT64 = 2**63 - 1


def examples(document: dict[str, Any]) -> list[bytes]:
    """Convert a whole body; whole numbers and booleans become int64 features, other numbers float, strings bytes.

    Args:
        document: the top-level object, from json_text.parse.

    Returns:
        One serialized tf.Example for each of 'examples'; a 'context' is put in front of each, so that protobuf merges
        the two.

    Raises:
        ServingError: INVALID_ARGUMENT.
    """
    context = _example(document["context"]) if "context" in document else b""
    if "examples" not in document:
        raise invalid("When method is classify, key 'examples' is expected and was not found")
    found = document["examples"]
    if not isinstance(found, list):
        raise invalid("Expecting 'examples' value to be an list/array")
    if not found:
        raise invalid("'examples' value is an empty array")
    return [context + _example(item) for item in found]


def _example(value: Any) -> bytes:
    from tensorflow.core.example import example_pb2

    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    example = example_pb2.Example()
    features = example.features.feature
    for name, feature in value.items():
        elements = feature if isinstance(feature, list) else [feature]
        kinds = [_kind(name, element) for element in elements]
        target = features[name.encode("utf-8", "replace").decode()]
        if not kinds:
            continue
        for kind in kinds:
            if kind != kinds[0]:
                raise invalid(f"Unexpected element type in feature: {name} expecting type: {_SPOKEN[kinds[0]]}")
        _fill(target, kinds[0], elements)
    return example.SerializeToString()


_SPOKEN = {"int64_list": "int64", "float_list": "float", "bytes_list": "bytes"}


def _fill(target: Any, kind: str, elements: list[Any]) -> None:
    values = getattr(target, kind).value
    if kind == "bytes_list":
        values.extend(decode_object(item) if isinstance(item, dict) else item for item in elements)
    else:
        values.extend(map(int, elements) if kind == "int64_list" else map(_float32, elements))


def _float32(value: float) -> float:
    """Python's protobuf refuses nothing here, but a double beyond float32 must become infinite everywhere."""
    limit = 3.4028235677973366e38  # halfway between the largest float32 and what would come next
    return value if -limit < value < limit or value != value else float("inf") if value > 0 else float("-inf")


def _kind(name: str, element: Any) -> str:
    if isinstance(element, bytes) or is_base64(element):
        return "bytes_list"
    if isinstance(element, bool):
        return "int64_list"
    if isinstance(element, int):
        if element > _MAX_INT64:
            raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        return "int64_list"
    if isinstance(element, float):
        return "float_list"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(element)}")
