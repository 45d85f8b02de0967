"""Where a step keeps what it can go on with until it is finished: the same folder for the same work on the same files.

TFX's own temporary folder is another one for every execution, and outputs of a failed one are removed, so that killed
work would begin anew.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from tfx.types import Artifact


def folder(kind: str, output: Artifact, input_dict: Mapping[str, list[Artifact]], work: Mapping[str, Any]) -> str:
    """Return the folder, which need not exist yet.

    Args:
        kind: of work, the name of the folder above.
        output: one of the step's; the folder lies beside its outputs.
        input_dict: artifacts by key, what is worked on.
        work: what is done; JSON, or what has a text.
    """
    read = {key: [one.uri for one in artifacts] for key, artifacts in input_dict.items()}
    digest = hashlib.sha256(json.dumps([work, read], sort_keys=True, default=str).encode()).hexdigest()
    step = os.path.dirname(os.path.dirname(output.uri.rstrip("/")))
    return os.path.join(step, ".system", kind, digest[:16])
