"""What a config compiles to for Kubeflow Pipelines."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline import config_file, orchestration
from pipeline.cli import slipway
from pipeline.errors import ConfigError, SetupError
from pipeline.kubeflow_config import Kubeflow
from pipeline.runners import kubeflow
from tests import kfp_local

CONFIG = Path(__file__).parents[2] / "configs" / "taxi.yaml"
PLACEHOLDER = "{{$.inputs.parameters['%s']}}"


@pytest.fixture
def tasks(on_kubeflow):
    """The tasks of the steps."""
    return kfp_local.documents(on_kubeflow.compiled)[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]


@pytest.fixture
def containers(on_kubeflow):
    """The container of each task."""
    specification = kfp_local.documents(on_kubeflow.compiled)[0]
    executors = specification["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): executor["container"] for name, executor in executors.items()}


@pytest.fixture
def on_kubernetes(on_kubeflow):
    """What Kubernetes is told of each task."""
    executors = kfp_local.documents(on_kubeflow.compiled)[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-"): settings for name, settings in executors.items()}


def test_a_server_can_read_it(on_kubeflow):
    assert kfp_local.specification(on_kubeflow.compiled).pipeline_info.name == "taxi"
    assert on_kubeflow.lines[0].startswith(f"{on_kubeflow.compiled}: 14 steps for localhost/slipway:1; ")


def test_the_arrows_are_those_of_the_steps(on_kubeflow, tasks):
    arrows = {task["taskInfo"]["name"]: set(task.get("dependentTasks", ())) for task in tasks.values()}
    assert arrows["ExampleGen"] == arrows["ImportSchemaGen"] == set()
    assert arrows["Trainer"] == {"examplegen", "transform", "tuner", "datagate"}
    assert arrows["Pusher"] >= {"trainer", "evaluator", "doors"}
    assert {
        name: {other.lower() for other in before} for name, before in orchestration.upstream(on_kubeflow.file).items()
    } == arrows


def test_every_step_is_one_slipway_node_and_no_resolver_of_kfp_is_left(containers):
    sent = {"--config-text": "config", "--schema-text": "schema", "--span": "span", "--sets": "overrides"}
    given = [word for option, name in sent.items() for word in (option, PLACEHOLDER % name)]
    place = ["--config", "configs/taxi.yaml", "--home", "/var/lib/slipway"]
    assert containers["evaluator"]["command"] == ["slipway", "node", "--node", "Evaluator", *place]
    assert containers["trainer"]["command"] == ["slipway", "node", "--node", "Trainer", "--no-cache", *place]
    for container in containers.values():
        assert container["args"] == ["--run-id", PLACEHOLDER % "run_id", *given]
    assert containers["finish"]["command"][2:4] == ["--finish", ",".join(_steps(containers))]


def _steps(containers):
    named = [container["command"][3] for container in containers.values() if container["command"][2] == "--node"]
    order = containers["finish"]["command"][3].split(",")
    return sorted(named, key=order.index)


def test_the_config_and_what_is_set_are_parameters_of_a_run(on_kubeflow, tasks):
    given = kfp_local.documents(on_kubeflow.compiled)[0]["root"]["inputDefinitions"]["parameters"]
    defaults = {name: parameter.get("defaultValue") for name, parameter in given.items()}
    assert defaults["config"] == CONFIG.read_text()
    assert defaults["schema"] == CONFIG.with_suffix(".schema.pbtxt").read_text()
    assert defaults["span"] == ""
    assert defaults["overrides"] == list(on_kubeflow.file.overrides)
    run_id = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    assert all(task["inputs"]["parameters"]["run_id"] == run_id for task in tasks.values())


def test_a_step_runs_where_the_config_says(tasks, containers, on_kubernetes):
    trainer, evaluator = containers["trainer"]["resources"], containers["evaluator"]["resources"]
    assert trainer["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert (trainer["accelerator"]["resourceCount"], trainer["resourceMemoryLimit"]) == ("2", "16G")
    assert (evaluator["resourceMemoryLimit"], evaluator["resourceCpuRequest"]) == ("4G", "1")
    assert "accelerator" not in evaluator
    assert on_kubernetes["trainer"]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert "nodeSelector" not in on_kubernetes["evaluator"]
    assert tasks["trainer"]["retryPolicy"]["maxRetryCount"] == 2
    assert not tasks["trainer"]["cachingOptions"].get("enableCache")


def test_null_takes_from_one_step_what_all_others_have():
    finish = {"accelerator": None, "memory": None}
    section = Kubeflow.model_validate(
        {"image": "x", "cpu": 2, "memory": "4G", "accelerator": {}, "steps": {"Finish": finish}}
    )
    assert (section.pod("Finish").accelerator, section.pod("Finish").memory, section.pod("Finish").cpu) == (
        None,
        None,
        "2",
    )
    assert (section.pod("Trainer").accelerator.count, section.pod("Trainer").memory) == (1, "4G")


def test_every_container_gets_storage_secrets_and_variables(containers, on_kubernetes):
    assert set(on_kubernetes) == set(containers)
    for name, container in containers.items():
        assert container["env"] == [{"name": "TF_CPP_MIN_LOG_LEVEL", "value": "2"}]
        assert on_kubernetes[name]["pvcMount"][0]["constant"] == "slipway"
        assert on_kubernetes[name]["pvcMount"][0]["mountPath"] == "/var/lib/slipway"
        assert on_kubernetes[name]["imagePullSecret"][0]["secretName"] == "registry"
        secret = on_kubernetes[name]["secretAsEnv"][0]
        assert secret["secretName"] == "mysql"
        assert secret["keyToEnv"] == [{"secretKey": "password", "envVar": "DB_PASSWORD"}]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("kubeflow={home: /x}", "kubeflow.image: is missing"),
        ("kubeflow={image: x, home: x}", "kubeflow.home: string should match pattern"),
        ("kubeflow={image: x, memory: 4 GB}", "kubeflow.memory: string should match pattern"),
        ("kubeflow={image: x, steps: {Trainer: {gpu: 1}}}", "kubeflow.steps.Trainer.gpu: unknown key"),
        ("kubeflow={image: x, accelerator: {count: 3}}", "write 1, 2, 4, 8 or 16"),
        ("kubeflow={image: x, secrets: {A: hunter2}}", "no SECRET/KEY"),
        ("kubeflow={image: x, env: {A-B: 1}}", "kubeflow.env.A-B"),
    ],
)
def test_a_wrong_section_is_told(override, told, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        config_file.read(CONFIG, [override], tmp_path)
    assert "hunter2" not in str(caught.value), "it may be a password"


def test_a_config_without_the_section_or_with_an_unknown_step_is_told(tmp_path, on_kubeflow):
    file = config_file.read(CONFIG, [], tmp_path)
    with pytest.raises(ConfigError, match=r"taxi\.yaml: kubeflow: is missing"):
        kubeflow.compile(file, on_kubeflow.home, tmp_path / "taxi.yaml")
    file = config_file.read(CONFIG, ["kubeflow={image: x, steps: {Trainr: {cpu: 1}}}"], tmp_path)
    with pytest.raises(ConfigError, match=r"kubeflow\.steps\.Trainr: no such step.*did you mean 'Trainer'"):
        kubeflow.compile(file, on_kubeflow.home, tmp_path / "taxi.yaml")
    file = config_file.read(CONFIG, ["kubeflow={image: x, steps: {Finish: {cache: false}}}"], tmp_path)
    with pytest.raises(
        ConfigError, match=r"kubeflow\.steps\.Finish\.cache: the record of a run has no cache, got False"
    ):
        kubeflow.compile(file, on_kubeflow.home, tmp_path / "taxi.yaml")
    with pytest.raises(SetupError, match=r"-o: KFP reads YAML, got 'taxi\.json'"):
        kubeflow.compile(file, on_kubeflow.home, Path("taxi.json"))


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.name=nets.nothing", "model.name: nets.nothing cannot be imported"),
        ("model.hyperparameters={drop_out: 0.1}", "model.hyperparameters: models.tabular has no such hyperparameter"),
    ],
)
def test_a_mistake_of_the_model_is_told_before_anything_is_written(override, told, tmp_path, on_kubeflow):
    file = config_file.read(CONFIG, ["kubeflow={image: x}", override], tmp_path)
    with pytest.raises(ConfigError, match=re.escape(f"taxi.yaml: {told}")):
        kubeflow.compile(file, on_kubeflow.home, tmp_path / "taxi.yaml")
    assert not (tmp_path / "taxi.yaml").exists()


def test_a_schema_that_is_too_long_to_be_sent_is_told(tmp_path):
    schema = tmp_path / "long.pbtxt"
    schema.write_text(CONFIG.with_suffix(".schema.pbtxt").read_text() + "# long\n" * 20_000)
    file = config_file.read(CONFIG, [f"schema={schema}"], tmp_path)
    with pytest.raises(ConfigError, match=r"long\.pbtxt: too long to be sent to a step, got 1\d{5} bytes"):
        orchestration.sent_config(file)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("run", str(CONFIG), "--runner", "kubeflow"), "has no `run`, got 'kubeflow'; there is `slipway compile"),
        (("compile", str(CONFIG), "--runner", "local", "-o", "x.yaml"), "has no `compile`, got 'local'; there is"),
    ],
)
def test_a_runner_that_does_something_else_is_told(command, told, tmp_path):
    result = CliRunner().invoke(slipway, [*command, "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert told in result.output
