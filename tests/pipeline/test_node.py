"""What is done around a node before TFX's launcher looks at it."""

import os
import sys
from pathlib import Path

from pipeline import build, config_file, node
from pipeline.home import Home

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"


def test_a_node_knows_the_filesystems_of_the_installation_whatever_the_config_says(tmp_path, monkeypatch):
    """Its driver asks whether cached artifacts are still there, which may be where `pipeline_root` pointed before."""
    monkeypatch.setitem(sys.modules, "tensorflow_io", os)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    for name in ("S3_ENDPOINT", "S3_USE_HTTPS"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    ir = build.build(config_file.read(CONFIG, [], tmp_path), Home(tmp_path, "taxi"), "1")
    assert node.launch(ir, "ImportSchemaGen").state == "ran"
    assert os.environ["S3_ENDPOINT"] == "http://127.0.0.1:9000"
