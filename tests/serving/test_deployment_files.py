"""The files for containers and clusters are whole, valid, and serve."""

import shutil

import pytest
import yaml
from google.protobuf import text_format

from serving import model_config, releases
from serving.deployment_files import dns_name, write_files


@pytest.fixture
def base(tmp_path, half_models, put_version):
    folder = tmp_path / "half_two"
    folder.mkdir()
    for number in (1, 2, 3):
        put_version(half_models[number], folder, number)
    return folder


def test_the_files_name_the_model_and_carry_the_released_versions(tmp_path, base):
    releases.promote(base, 1, server=None)
    releases.promote(base, 2, "canary", server=None)
    target = tmp_path / "out"
    written = write_files(target, base)
    assert {str(path.relative_to(target)) for path in written} == {
        "Dockerfile", "Dockerfile.embedded", "compose.yaml", "models.config", "half_two",
        "k8s/deployment.yaml", "k8s/service.yaml", "k8s/hpa.yaml", "k8s/pvc.yaml",
    }  # fmt: skip
    assert sorted(path.name for path in (target / "half_two").iterdir()) == ["1", "2"]
    config = text_format.Parse((target / "models.config").read_text(), model_config.empty()).model_config_list.config[0]
    assert (config.base_path, dict(config.version_labels)) == ("/models/half_two", {"stable": 1, "canary": 2})
    docker = (target / "Dockerfile").read_text()
    assert "ARG BASE=docker.io/tensorflow/serving:2.19.0\nFROM ${BASE}\nCOPY half_two /models/half_two\n" in docker
    documents = {path.name: yaml.safe_load(path.read_text()) for path in written if path.suffix == ".yaml"}
    deployment = documents["deployment.yaml"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["metadata"]["name"] == documents["service.yaml"]["metadata"]["name"] == "half-two-serving"
    assert container["readinessProbe"]["httpGet"]["path"] == "/v1/models/half_two"
    assert documents["hpa.yaml"]["spec"]["scaleTargetRef"]["name"] == "half-two-serving"
    assert documents["compose.yaml"]["services"]["half_two"]["image"].startswith("docker.io/tensorflow/serving:")


def test_the_written_config_serves_where_it_will_be(tmp_path, base, rest_of):
    from serving.server import ServerOptions, running

    releases.promote(base, 1, server=None)
    write_files(tmp_path / "out", base)
    file = tmp_path / "out" / "models.config"
    file.write_text(file.read_text().replace("/models/", str(tmp_path / "out") + "/"))
    with running(ServerOptions(config_file=str(file), rest_port=0, early_labels=True)) as server:
        answer = rest_of(server)("/v1/models/half_two/labels/stable:predict", {"instances": [0.0]})
    assert answer.json == {"predictions": [1.0]}


def test_without_a_release_the_newest_version_is_taken(tmp_path, base):
    write_files(tmp_path / "out", base, "other")
    assert [path.name for path in (tmp_path / "out" / "other").iterdir()] == ["3"]


def test_what_cannot_be_written_says_why(tmp_path, base):
    with pytest.raises(ValueError, match="name: not for a file or an image, got a b"):
        write_files(tmp_path / "out", base, "a b")
    for number in (1, 2, 3):
        shutil.rmtree(base / str(number))
    with pytest.raises(ValueError, match="no version to serve"):
        write_files(tmp_path / "out", base)
    with pytest.raises(ValueError, match="cannot be read"):
        write_files(tmp_path / "out", tmp_path / "none")
    assert dns_name("My_Model.v2") == "my-model-v2"
