"""The files for containers and clusters are whole, valid, and serve."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format

from serving import model_config, releases
from serving.deployment_files import dns_name, write_files

CLONE = Path(__file__).parents[2]


@pytest.fixture
def base(tmp_path, half_models, put_version):
    folder = tmp_path / "half_two"
    folder.mkdir()
    for number in (1, 2, 3):
        put_version(half_models[number], folder, number)
    return folder


@pytest.fixture
def released(tmp_path, base):
    """Files for a model with a stable version and a canary."""
    releases.promote(base, 1, server=None)
    releases.promote(base, 2, "canary", server=None)
    written = write_files(tmp_path / "out", base)
    return tmp_path / "out", {str(path.relative_to(tmp_path / "out")) for path in written}


def documents(folder):
    return {str(path.relative_to(folder)): yaml.safe_load(path.read_text()) for path in folder.rglob("*.yaml")}


def test_all_files_are_written_with_the_released_versions_and_labels(released):
    folder, written = released
    assert {file for file in written if not file.startswith("server/serving/")} == {
        "Dockerfile", "Dockerfile.embedded", "compose.yaml", "models/models.config", "models/half_two",
        "server/requirements.txt", "k8s/config.yaml", "k8s/service.yaml", "k8s/hpa.yaml",
        "k8s/baked/deployment.yaml", "k8s/volume/deployment.yaml", "k8s/volume/pvc.yaml",
    }  # fmt: skip
    assert sorted(path.name for path in (folder / "models/half_two").iterdir()) == ["1", "2"]
    text = (folder / "models/models.config").read_text()
    config = text_format.Parse(text, model_config.empty()).model_config_list.config[0]
    assert (config.base_path, dict(config.version_labels)) == ("/models/half_two", {"stable": 1, "canary": 2})
    assert documents(folder)["k8s/config.yaml"]["data"]["models.config"] == text


def test_the_real_image_is_named_and_started_with_the_config(released):
    folder, _ = released
    docker = (folder / "Dockerfile").read_text()
    assert "\nARG BASE=docker.io/tensorflow/serving:2.19.0\nFROM ${BASE}\nCOPY models /models\n" in docker
    flags = [
        "--model_config_file=/models/models.config", "--model_config_file_poll_wait_seconds=1",
        "--allow_version_labels_for_unavailable_models=true",
    ]  # fmt: skip
    assert json.loads(re.search(r"^CMD (.*)", docker, re.MULTILINE)[1]) == flags
    service = documents(folder)["compose.yaml"]["services"]["half-two"]
    assert (service["image"], service["command"]) == ("${IMAGE:-docker.io/tensorflow/serving:2.19.0}", flags)


def test_a_digest_takes_the_place_of_the_tag(tmp_path, base):
    image = "docker.io/tensorflow/serving@sha256:" + "0" * 64
    write_files(tmp_path / "out", base, image=image)
    assert f"ARG BASE={image}\n" in (tmp_path / "out/Dockerfile").read_text()
    deployment = documents(tmp_path / "out")["k8s/volume/deployment.yaml"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image


@pytest.mark.parametrize(
    ("way", "image", "volumes"),
    [
        ("baked", "half-two-serving:1-2", {"config", "tmp"}),
        ("volume", "docker.io/tensorflow/serving:2.19.0", {"config", "tmp", "models"}),
    ],
)
def test_both_deployments_hang_together(released, way, image, volumes):
    files = documents(released[0])
    deployment = files[f"k8s/{way}/deployment.yaml"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == image
    assert (
        {mount["name"] for mount in container["volumeMounts"]} == {entry["name"] for entry in pod["volumes"]} == volumes
    )
    assert container["args"][0] == "--model_config_file=/config/models.config"
    assert pod["volumes"][0]["configMap"]["name"] == files["k8s/config.yaml"]["metadata"]["name"]
    started = "/v1/models/half_two/labels/stable/metadata"  # the ports open when any one version is loaded
    assert container["startupProbe"]["httpGet"] == {"path": started, "port": 8501}
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/v1/models/half_two", "port": 8501}
    assert deployment["metadata"]["name"] == files["k8s/hpa.yaml"]["spec"]["scaleTargetRef"]["name"]
    assert deployment["spec"]["template"]["metadata"]["labels"] == files["k8s/service.yaml"]["spec"]["selector"]
    if way == "volume":
        assert (
            pod["volumes"][2]["persistentVolumeClaim"]["claimName"] == files["k8s/volume/pvc.yaml"]["metadata"]["name"]
        )


def test_the_written_config_serves_where_it_will_be(tmp_path, base, rest_of):
    from serving.server import ServerOptions, running

    releases.promote(base, 1, server=None)
    write_files(tmp_path / "out", base)
    file = tmp_path / "out/models/models.config"
    file.write_text(file.read_text().replace("/models/", f"{tmp_path}/out/models/"))
    with running(ServerOptions(config_file=str(file), rest_port=0, early_labels=True)) as server:
        answer = rest_of(server)("/v1/models/half_two/labels/stable:predict", {"instances": [0.0]})
    assert answer.json == {"predictions": [1.0]}


def test_the_image_gets_sources_that_import_and_the_versions_of_the_lock(released):
    server = released[0] / "server"
    command = [sys.executable, "-m", "serving.cli", "--help"]
    assert subprocess.run(command, cwd=server, capture_output=True, check=True).stdout
    entry = re.compile(r"^([\w.-]+==[\w.]+)", re.MULTILINE)
    locked = set(entry.findall((CLONE / "requirements.txt").read_text()))
    text = (server / "requirements.txt").read_text()
    for pin in entry.findall(text):
        assert pin.replace("tensorflow-cpu==", "tensorflow==") in locked, f"run `make lock`: {pin}"
    assert all("--hash=sha256:" in part for part in re.split(r"\n(?=\w)", text) if "==" in part)


def test_written_again_the_folder_holds_what_serves_now(tmp_path, base):
    target = tmp_path / "out"
    releases.promote(base, 1, server=None)
    write_files(target, base)
    releases.rollback(base, 3, server=None)
    write_files(target, base)
    assert [path.name for path in (target / "models/half_two").iterdir()] == ["3"]
    assert [path.name for path in target.rglob("*.unfinished")] == []


def test_without_a_release_the_newest_version_is_taken(tmp_path, base):
    write_files(tmp_path / "out", base, "other")
    assert [path.name for path in (tmp_path / "out/models/other").iterdir()] == ["3"]
    (container,) = documents(tmp_path / "out")["k8s/baked/deployment.yaml"]["spec"]["template"]["spec"]["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/v1/models/other"


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
