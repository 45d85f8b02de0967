"""BigQuery: the node that is compiled; the query itself runs in the user's cloud."""

from pathlib import Path

import pytest
from tfx.proto import example_gen_pb2

from data.loaders import bigquery


def test_the_node_is_that_of_tfx_with_the_query_the_splits_and_the_project():
    splits = [example_gen_pb2.SplitConfig.Split(name="train", hash_buckets=3)]
    output = example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))
    options = {"project": "mine", "temp_location": "gs://mine/tmp", "code": "abc", "float_columns": []}
    node = bigquery.load({"rows": ["SELECT * FROM trips"]}, output, options)
    assert type(node).__name__ == "BigQueryExampleGen"
    assert "SELECT * FROM trips" in node.exec_properties["input_config"]
    assert "train" in node.exec_properties["output_config"]
    assert set(node.executor_spec.beam_pipeline_args) >= {"--project=mine", "--temp_location=gs://mine/tmp"}


@pytest.mark.parametrize(("key", "value"), [("project", ""), ("project", 7), ("temp_location", "/tmp")])
def test_an_option_that_google_would_not_take_is_told(key, value):
    with pytest.raises(ValueError, match="got "):
        bigquery.OPTIONS[key](value)


def test_a_config_with_a_query_compiles(tmp_path):
    from pipeline import config_file
    from pipeline.build import build
    from pipeline.home import Home

    taxi = Path(__file__).parents[2] / "configs" / "taxi.yaml"
    path = tmp_path / "trips.yaml"
    path.write_text(taxi.read_text().replace("source: taxi", "query: SELECT * FROM trips\n  format: bigquery"))
    (tmp_path / "taxi.schema.pbtxt").write_text((taxi.parent / "taxi.schema.pbtxt").read_text())
    file = config_file.read(path, home=tmp_path)
    ir = build(file, Home(tmp_path, "trips"), "run")
    node = next(node.pipeline_node for node in ir.nodes if node.pipeline_node.node_info.id == "ExampleGen")
    assert "SELECT * FROM trips" in str(node.parameters.parameters["input_config"])
