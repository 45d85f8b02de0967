"""Vertex AI Pipelines: TFX's own compiler writes the job, and TFX's own entry point runs the steps, no `slipway node`.

Vertex keeps artifacts and metadata itself, and resolves the baseline itself: it takes the last blessed model.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from pipeline import importing
from pipeline.config_file import ConfigFile
from pipeline.errors import ConfigError, SetupError
from pipeline.home import Home
from pipeline.vertex_config import Vertex


def compile(file: ConfigFile, home: Home, output: Path) -> list[str]:  # noqa: A001, the name of the command
    """Write a pipeline as a job of Vertex AI and return what to print.

    Raises:
        ConfigError: the config lacks what Vertex needs, or has what it cannot run.
        SetupError: the file cannot be written, or this installation's TFX and kfp do not fit together.
    """
    if output.suffix != ".json":
        raise SetupError(f"-o: Vertex AI reads JSON, got {str(output)!r}; name it {output.stem}.json")
    section = file.config.vertex
    if section is None:
        raise ConfigError(f"{file.path}: vertex: is missing, got no value; add `vertex: {{image: …, home: gs://…}}`")
    if section.endpoint and file.config.mobile:
        raise ConfigError(
            f"{file.path}: vertex.endpoint: phones get what is in a folder, got mobile too; write mobile: off"
        )
    if file.config.training.warm_start:
        raise ConfigError(
            f"{file.path}: training.warm_start: Vertex AI resolves by itself, and cannot tell which trainings were "
            "done, got true; write false"
        )
    bucket = section.home.rstrip("/")
    with tempfile.TemporaryDirectory() as folder, importing.for_good():
        # What the steps write to, and the schema, is under the home, which is another one there.
        job = _job(file, Path(folder), section)
        text = json.dumps(job, indent=1, sort_keys=True).replace(folder, bucket)
        schemas = [path.relative_to(folder) for path in Path(folder).rglob("schema.pbtxt")]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"-o: cannot be written, got {error}; check the path") from error
    lines = [f"{output}: for {section.image}; before it runs:"]
    lines += [f"  copy {file.schema_path} to {bucket}/{path}" for path in schemas]
    if file.config.data.query is None:
        lines += [f"  have {one} in the image" for found in file.inputs.patterns.values() for one in found]
    return lines


def _job(file: ConfigFile, folder: Path, section: Vertex) -> dict[str, Any]:
    """Return the job of a pipeline whose home is `folder`."""
    from pipeline import build, vertex_steps

    home = Home(folder, file.config.name)
    try:
        from tfx.orchestration import pipeline as tfx_pipeline
        from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as v2
    except ImportError as error:
        raise SetupError(
            f"--runner: TFX's compiler for Vertex AI cannot be imported, got {error}; see docs/kubeflow.md"
        ) from error
    dag = tfx_pipeline.Pipeline(
        pipeline_name=file.config.name.replace("_", "-"),
        pipeline_root=str(home.artifacts),
        components=build.nodes(file, home, vertex_steps.instead(section)),
        enable_cache=True,
    )
    config = v2.KubeflowV2DagRunnerConfig(default_image=section.image, use_pipeline_spec_2_1=True)
    v2.KubeflowV2DagRunner(config, output_dir=str(folder), output_filename="job.json").run(dag)
    content = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    (folder / "job.json").unlink()
    return content
