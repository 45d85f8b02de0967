"""What GetModelMetadata and GetModelStatus answer, as protos and as JSON. Source: http_rest_api_util.cc."""

import json
from typing import Any

from google.protobuf import json_format

from serving.errors import CODES, ServingError
from serving.servable import STATES, Servable


def signature_map(servable: Servable) -> Any:
    """A SignatureDefMap of all signatures of a model."""
    from tensorflow_serving.apis import get_model_metadata_pb2

    found = get_model_metadata_pb2.SignatureDefMap()
    for name, proto in servable.predictor.signature_defs.items():
        found.signature_def[name].CopyFrom(proto)
    return found


def metadata_json(servable: Servable) -> bytes:
    """The body of GET .../metadata; proto field names kept, defaults printed."""
    spec = {"name": servable.name, "signature_name": "", "version": str(servable.version)}
    body = {"model_spec": spec, "metadata": {"signature_def": _to_dict(signature_map(servable))}}
    return json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n"


def status_proto(found: list[tuple[int, str, ServingError | None]]) -> Any:
    """A GetModelStatusResponse from Versions.status."""
    from tensorflow_serving.apis import get_model_status_pb2

    response = get_model_status_pb2.GetModelStatusResponse()
    for version, state, error in found:
        added = response.model_version_status.add(version=version, state=STATES[state])
        added.status.SetInParent()
        if error is not None:
            added.status.error_code = CODES[error.code]
            added.status.error_message = error.message
    return response


def status_json(found: list[tuple[int, str, ServingError | None]]) -> bytes:
    """The body of GET /v1/models/NAME."""
    listed = [
        {
            "version": str(version),
            "state": state,
            "status": {"error_code": error.code if error else "OK", "error_message": error.message if error else ""},
        }
        for version, state, error in found
    ]
    return json.dumps({"model_version_status": listed}, indent=1, ensure_ascii=False).encode() + b"\n"


def _to_dict(message: Any) -> dict[str, Any]:
    """All fields, defaults included; the argument that asks for them changed its name in protobuf 26."""
    try:
        return json_format.MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    except TypeError:
        return json_format.MessageToDict(message, preserving_proto_field_name=True, including_default_value_fields=True)
