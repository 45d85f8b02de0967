"""The files that a config names beside its rows."""

import pytest

from pipeline import data_files
from pipeline.errors import ConfigError


@pytest.mark.parametrize("content", [b"feature { nam", b"\xff\xfe\x00junk"])
def test_a_file_that_is_no_schema_is_one_line(tmp_path, content):
    path = tmp_path / "taxi.schema.pbtxt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"taxi\.schema\.pbtxt: no schema, got .*; SchemaGen writes one") as error:
        data_files.curated_schema(path)
    assert "\n" not in str(error.value)
