"""compose.yaml and the image: parts that fit together, nothing open to the network, no password in a file."""

import re
from pathlib import Path

import pytest
import yaml

from serving.launcher import IMAGE, config_flags

CLONE = Path(__file__).parents[2]
TEXT = (CLONE / "compose.yaml").read_text()
HOME = "/var/lib/slipway"


@pytest.fixture
def services():
    return yaml.safe_load(TEXT)["services"]


def test_ports_are_published_on_this_machine_alone_and_the_database_s_not_at_all(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"server": ["127.0.0.1:${REST_PORT:-8501}:8501", "127.0.0.1:${GRPC_PORT:-8500}:8500"]}


def test_the_password_is_demanded_and_stands_nowhere(services):
    wanted = "${SLIPWAY_METADATA_PASSWORD:?of the database, set it in .env}"
    assert services["database"]["environment"]["POSTGRES_PASSWORD"] == wanted
    assert services["runner"]["environment"]["SLIPWAY_METADATA_PASSWORD"] == wanted
    assert re.findall(r"PASSWORD(:[^ ?].*|\})", TEXT) == []
    assert re.search(r"^\.env$", (CLONE / ".gitignore").read_text(), re.MULTILINE)
    assert ".*" in (CLONE / ".dockerignore").read_text().splitlines()


def test_all_share_one_volume_at_the_image_s_home_and_the_server_cannot_write_it(services):
    assert f"SLIPWAY_HOME={HOME} " in (CLONE / "Dockerfile").read_text()
    mounts = {name: service["volumes"] for name, service in services.items()}
    assert mounts == {
        "database": ["database:/var/lib/postgresql/data"],
        "runner": [f"home:{HOME}"],
        "releases": [f"home:{HOME}"],
        "server": [f"home:{HOME}:ro"],
    }
    assert services["database"]["environment"]["PGDATA"] == "/var/lib/postgresql/data"
    assert set(yaml.safe_load(TEXT)["volumes"]) == {"database", "home"}


def test_the_server_is_started_as_slipway_serve_starts_it(services):
    config = f"{HOME}/serving/${{SLIPWAY_MODEL:-taxi}}/models.config"
    assert services["server"]["command"] == ["--port=8500", "--rest_api_port=8501", *config_flags(config)]
    assert services["server"]["image"] == f"${{SLIPWAY_SERVER_IMAGE:-{IMAGE}}}"


def test_the_runner_writes_its_lineage_into_the_database(services):
    (url,) = (word for word in services["runner"]["command"] if word.startswith("metadata.url="))
    login = services["database"]["environment"]
    assert url == f"metadata.url=postgresql://{login['POSTGRES_USER']}@database:5432/{login['POSTGRES_DB']}"
    assert services["runner"]["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_what_is_ours_cannot_write_its_root(services):
    assert {name for name, service in services.items() if service.get("read_only") and service["tmpfs"] == "/tmp"} == {
        "runner", "releases", "server",
    }  # fmt: skip
    assert services["server"]["user"] == "1000:1000"
    assert "\nUSER 1000:1000\n" in (CLONE / "Dockerfile").read_text()


def test_what_the_server_follows_is_there_before_the_first_push(services, tmp_path):
    python, option, program = services["releases"]["command"]
    assert (python, option) == ("python", "-c")
    exec(program.replace(HOME, str(tmp_path)).replace("${SLIPWAY_MODEL:-taxi}", "taxi"), {})
    assert f'base_path: "{tmp_path}/serving/taxi"' in (tmp_path / "serving/taxi/models.config").read_text()


def test_the_image_gets_what_the_project_installs_and_no_more():
    ignored = set((CLONE / ".dockerignore").read_text().split("\n"))
    needed = {"pipeline", "components", "models", "data", "serving", "stand_ins", "configs", "pyproject.toml"}
    assert not ignored & {*needed, "requirements.txt", "README.md", "LICENSE"}
    assert {"tests", "docs", "benchmarks"} <= ignored
