"""Kubeflow Pipelines: one container task per step, which runs `slipway node`.

No step becomes one of KFP's own resolvers, importers or artifacts: what the steps hand to each other is in the metadata
store under the home, as on a laptop. So KFP sees arrows only, and pipelines with a baseline run on it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline import orchestration
from pipeline.config_file import ConfigFile
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home
from pipeline.kubeflow_config import Kubeflow, Pod

# Of one try and the next, and at most.
BACKOFF, BACKOFF_FACTOR, BACKOFF_MAX = "60s", 2.0, "3600s"


def compile(file: ConfigFile, home: Home, output: Path) -> list[str]:  # noqa: A001, the name of the command
    """Write a pipeline as KFP's YAML and return what to print.

    Raises:
        ConfigError: the config lacks what a cluster needs, or the steps do not fit together.
        SetupError: the file cannot be written.
    """
    if output.suffix not in (".yaml", ".yml"):
        raise SetupError(f"-o: KFP reads YAML, got {str(output)!r}; name it {output.stem}.yaml")
    section = _section(file)
    nodes = orchestration.upstream(file)
    orchestration.require_steps(file, "kubeflow", section.steps, nodes)
    orchestration.write(output, _yaml(file, _graph(file, section, nodes)))
    return [f"{output}: {len(nodes)} steps for {section.image}; upload it, or `slipway submit` the same"]


def _yaml(file: ConfigFile, graph: Any) -> str:
    """Return the two YAML documents of a pipeline.

    Not by kfp's compiler: it puts the defaults of parameters into a comment at the top, and a config has many lines, of
    which only the first would be one.
    """
    import yaml
    from google.protobuf import json_format

    documents = [json_format.MessageToDict(spec) for spec in (graph.pipeline_spec, graph.platform_spec)]
    head = f"# Pipeline {file.config.name} for Kubeflow Pipelines, from {file.path} by `slipway compile`.\n"
    return head + yaml.safe_dump_all([document for document in documents if document], sort_keys=True)


def _section(file: ConfigFile) -> Kubeflow:
    if file.config.kubeflow is None:
        raise ConfigError(f"{file.path}: kubeflow: is missing, got no value; add `kubeflow: {{image: …}}`")
    return file.config.kubeflow


def _graph(file: ConfigFile, section: Kubeflow, nodes: Mapping[str, list[str]]) -> Any:
    """Return the pipeline as kfp knows it."""
    from kfp import dsl

    defaults = orchestration.sent_config(file)

    def graph(
        config: str = defaults["config"],
        schema: str = defaults["schema"],
        span: str = defaults["span"],
        overrides: list = defaults["overrides"],
    ) -> None:
        sent = {"config": config, "schema": schema, "span": span, "overrides": overrides}
        sent["run_id"] = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        finish = _component(orchestration.FINISH, file, section, "--finish", ",".join(nodes))(**sent)
        _settle(finish, orchestration.FINISH, section)
        with dsl.ExitHandler(finish, name="steps"):
            tasks: dict[str, Any] = {}
            for name, before in nodes.items():
                fresh = [] if section.pod(name).cache is not False else ["--no-cache"]
                tasks[name] = _component(name, file, section, "--node", name, *fresh)(**sent)
                tasks[name].after(*(tasks[other] for other in before))
                _settle(tasks[name], name, section)

    return dsl.pipeline(name=file.config.name.replace("_", "-"), description=f"slipway: {file.path.name}")(graph)


def _component(name: str, file: ConfigFile, section: Kubeflow, *arguments: str) -> Callable[..., Any]:
    """Return the component of one step."""
    from kfp import dsl

    def component(config: str, schema: str, span: str, overrides: list, run_id: str):
        return dsl.ContainerSpec(
            image=section.image,
            command=["slipway", "node", *arguments, "--config", orchestration.place(file), "--home", section.home],
            args=[
                "--run-id", run_id, "--config-text", config, "--schema-text", schema, "--span", span,
                "--sets", overrides,
            ],
        )  # fmt: skip

    component.__name__ = name
    component.__doc__ = None
    return dsl.container_component(component)


def _settle(task: Any, name: str, section: Kubeflow) -> None:
    """Tell a task where and how often it runs."""
    pod = section.pod(name)
    task.set_display_name(name)
    # KFP's cache knows the command only, neither the data nor the code nor the storage. TFX's cache knows them.
    task.set_caching_options(False)
    if pod.retries:
        task.set_retry(pod.retries, BACKOFF, BACKOFF_FACTOR, BACKOFF_MAX)
    if pod.cpu:
        task.set_cpu_request(pod.cpu)
    if pod.memory:
        task.set_memory_request(pod.memory).set_memory_limit(pod.memory)
    if pod.accelerator:
        task.set_accelerator_type(pod.accelerator.type).set_accelerator_limit(pod.accelerator.count)
    for variable, value in section.env.items():
        task.set_env_variable(variable, value)
    if settings := kubernetes(section, pod):
        task.platform_config["kubernetes"] = settings


def kubernetes(section: Kubeflow, pod: Pod) -> dict[str, Any]:
    """Return what only Kubernetes knows, as JSON of KFP's KubernetesExecutorConfig.

    kfp has a second package to write it, kfp-kubernetes, whose versions go with a server's. What is needed of it is
    little and has not changed; where a name has a new form, both are written, as that package does.
    """
    settings: dict[str, Any] = {}
    if section.volume:
        claim = {"constant": section.volume, "pvcNameParameter": _constant(section.volume), "mountPath": section.home}
        settings["pvcMount"] = [claim]
    if section.image_pull_secrets:
        settings["imagePullSecret"] = [
            {"secretName": name, "secretNameParameter": _constant(name)} for name in section.image_pull_secrets
        ]
    if section.secrets:
        settings["secretAsEnv"] = [
            {
                "secretName": secret, "secretNameParameter": _constant(secret), "optional": False,
                "keyToEnv": [{"secretKey": key, "envVar": variable}],
            }
            for variable, (secret, key) in ((name, place.split("/")) for name, place in section.secrets.items())
        ]  # fmt: skip
    if pod.node_selector:
        settings["nodeSelector"] = {"labels": dict(pod.node_selector)}
    return settings


def _constant(value: str) -> dict[str, Any]:
    return {"runtimeValue": {"constant": value}}
