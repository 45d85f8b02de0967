"""From the `beam` section to Beam's own arguments. Importing this module imports Beam, which takes seconds."""

from collections.abc import Callable, Iterator
from typing import Any

from apache_beam.options import pipeline_options as beam_options
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator

from pipeline import names
from pipeline.beam_config import Beam, Engine

RUNNERS = {
    "direct": "pipeline.beam_direct.DirectRunner",
    "dataflow": "DataflowRunner", "flink": "FlinkRunner", "spark": "SparkRunner",
}  # fmt: skip
# Of a job server that runs already, whichever engine is behind it.
PORTABLE = "PortableRunner"
# TFX packs its own sources into an archive for workers elsewhere, unless an image is named; workers on this machine
# need neither.
NO_IMAGE = "none"
# As many workers as there are cores, counted where the step runs.
A_CORE_EACH = 0
NEEDED = {"dataflow": ("project", "region", "temp_location")}


def of(engine: Engine, fastest: Callable[[], int] = lambda: 1) -> list[str]:
    """Return Beam's arguments.

    Args:
        engine: of a step, as `Beam.engine` gives it.
        fastest: how many processes of the direct runner are the fastest, 1 is in memory; asked under `auto` only.
    """
    options: dict[str, Any] = {"runner": RUNNERS[engine.runner or "direct"], "sdk_container_image": NO_IMAGE}
    if engine.runner == "direct":
        count = A_CORE_EACH if engine.mode == "multi_processing" else fastest() if engine.mode == "auto" else 1
        many = count != 1
        options["direct_running_mode"] = "multi_processing" if many else "in_memory"
        options["direct_num_workers"] = (engine.workers or count) if many else 1
    elif engine.runner != "dataflow":
        if "job_endpoint" in engine.options:
            options["runner"] = PORTABLE
        # Dataflow has an option for the image, the portable runners have a part of the environment.
        if _in_containers(engine) and "sdk_container_image" in engine.options:
            options["environment_config"] = engine.options["sdk_container_image"]
    return _flags(options | engine.options)


def mistakes(beam: Beam) -> list[str]:
    """Return what Beam does not know, or does not take, of the options, and what its runners need; one line each."""
    found = [line for place, engine in engines(beam) for line in (*_unknown(place, engine), *_missing(place, engine))]
    return list(dict.fromkeys(found))


def engines(beam: Beam) -> Iterator[tuple[str, Engine]]:
    """Yield the general engine, and that of each step which has its own, with their places in the config."""
    yield "beam", beam.engine("")
    for step in beam.steps:
        yield f"beam.steps.{step}", beam.engine(step)


def _unknown(place: str, engine: Engine) -> Iterator[str]:
    known = beam_options.PipelineOptions([]).get_all_options()
    for name, value in engine.options.items():
        try:
            names.require(name, known, what="option of Beam")
            beam_options.PipelineOptions(_flags({name: value})).get_all_options()
        except ValueError as error:
            yield f"{place}.options.{name}: {error}"
        except SystemExit as error:  # of argparse, which has printed its usage
            reason = str(error.__context__).partition(": ")[2]
            yield f"{place}.options.{name}: Beam does not take this, got {value!r}; {reason}"


def _missing(place: str, engine: Engine) -> Iterator[str]:
    runner, options = engine.runner or "direct", engine.options
    for name in NEEDED.get(runner, ()):
        if name not in options:
            yield f"{place}.options.{name}: is missing, got runner {runner} without it; add it"
    for name in ("temp_location", "staging_location"):
        if runner == "dataflow" and not str(options.get(name, "gs://")).startswith("gs://"):
            yield f"{place}.options.{name}: no folder of Cloud Storage, got {options[name]!r}; write gs://bucket/folder"
    if runner != "direct" and _in_containers(engine) and not _image(engine):
        yield (
            f"{place}.options.sdk_container_image: is missing, got runner {runner} without it; name an image that has "
            "Beam's SDK and this project"
        )
    view = beam_options.PortableOptions(_flags({key: options[key] for key in options if "environment" in key}))
    for sentence in PipelineOptionsValidator(view, None).validate_environment_options(view):
        yield f"{place}.options: {sentence[0].lower()}{sentence[1:].rstrip('.')}, got {options}; see docs/scaling.md"


def _in_containers(engine: Engine) -> bool:
    """Return whether the workers are containers; Beam starts none for an engine that it runs in this process tree."""
    if engine.options.get("flink_master") == "[local]":
        return False
    return engine.options.get("environment_type", "DOCKER") == "DOCKER"


def _image(engine: Engine) -> bool:
    """Return whether an image is named, in one of Beam's three ways."""
    if "sdk_container_image" in engine.options or "environment_config" in engine.options:
        return True
    return "docker_container_image=" in str(engine.options.get("environment_options"))


def _flags(options: dict[str, Any]) -> list[str]:
    """Return options as a command line has them, as Beam writes it; without those that are off."""
    return beam_options.PipelineOptions.from_dictionary(options)._flags
