"""The rows of a BigQuery query, through TFX's own BigQueryExampleGen: the query runs in your cloud.

TFX's cache sees the query and not the tables behind it: `slipway run --no-cache ExampleGen` asks again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# Google's libraries do the work; nothing of ours reads the rows.
MODULES = (__name__,)


def _name(value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be a text, got {value!r}; write it in quotes")


def _bucket(value: Any) -> None:
    if not str(value).startswith("gs://"):
        raise ValueError(f"must be a folder of Cloud Storage, got {value!r}; for instance gs://bucket/tmp")


OPTIONS = {"project": _name, "temp_location": _bucket}


def load(inputs: Mapping[str, Sequence[str]], output_config: Any, options: Mapping[str, Any]) -> Any:
    """Return the ExampleGen node that asks BigQuery.

    Args:
        inputs: the query, in BigQuery's standard SQL, as the only one of the only input split.
        output_config: example_gen_pb2.Output with the splits to make.
        options: `project` that pays, `temp_location` for what BigQuery exports; the credentials are the machine's.
    """
    from tfx.extensions.google_cloud_big_query.example_gen.component import BigQueryExampleGen

    (queries,) = inputs.values()
    node = BigQueryExampleGen(query=queries[0], output_config=output_config)
    return node.with_beam_pipeline_args([f"--{key}={options[key]}" for key in OPTIONS if key in options])
