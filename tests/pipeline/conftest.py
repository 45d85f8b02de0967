"""A home into which small models were pushed, and the command in this process."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli import slipway
from pipeline.home import Home

SAMPLES = [{"fare": 2.5, "company": "It's ünique", "zone": 7}, {"company": "A"}]


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """Return a function that exports fare, or -1, plus the bytes of the company plus `add`."""
    import tensorflow as tf

    def export(add: float) -> Path:
        def score(company, fare, zone):
            known = tf.where(tf.math.is_nan(fare), -1.0, fare)
            return {
                "score": known + tf.cast(tf.strings.length(company) + tf.cast(0 * zone, tf.int32), tf.float32) + add
            }

        dtypes = {"company": tf.string, "fare": tf.float32, "zone": tf.int64}
        model = tf.Module()
        model.door = tf.function(score, input_signature=[tf.TensorSpec([None], dtypes[name], name) for name in dtypes])
        path = tmp_path_factory.mktemp("exported") / "model"
        tf.saved_model.save(model, str(path), signatures={"serving_default": model.door})
        (path / "assets.extra").mkdir()
        lines = [json.dumps(row) for row in SAMPLES]
        (path / "assets.extra" / "sample_rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
        return path

    return export


@pytest.fixture(scope="session")
def versions(exported: Callable[[float], Path]) -> list[Path]:
    """The models of versions 1, 2 and 3, which answer 10, 20 and 30 more."""
    return [exported(10.0 * number) for number in (1, 2, 3)]


@pytest.fixture
def home(tmp_path: Path, versions: list[Path]) -> Home:
    """Versions 1, 2 and 3 of `small`."""
    place = Home(tmp_path / "home", "small")
    for number, path in enumerate(versions, start=1):
        shutil.copytree(path, place.serving / str(number))
    return place


@pytest.fixture
def served(home: Home) -> Iterator[Any]:
    """A server that follows `models.config`, on free ports of this process."""
    from serving import releases
    from serving.grpc_server import GrpcOptions
    from serving.server import ServerOptions, running
    from serving.versions import LifePolicy

    options = ServerOptions(
        config_file=str(releases.ensure(home.serving)), config_poll_s=0.2, early_labels=True, rest_port=0,
        grpc=GrpcOptions(address="127.0.0.1:0"), life=LifePolicy(poll_s=0.2),
    )  # fmt: skip
    with running(options) as server:
        yield server


@pytest.fixture
def command(home: Home) -> Callable[..., Any]:
    """Return a function that runs the command and gives click's result, with both streams in `output`."""
    assert threading.current_thread() is threading.main_thread(), "serve handles signals"

    def run(*arguments: Any) -> Any:
        return CliRunner().invoke(slipway, [*map(str, arguments), "--home", str(home.root)])

    return run


@pytest.fixture(scope="session")
def on_kubeflow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The taxi config with a `kubeflow` section, and what it compiles to."""
    from pipeline import config_file
    from pipeline.runners import kubeflow

    section = (Path(__file__).parent / "kubeflow.yaml").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("kubeflow")
    overrides = [f"kubeflow={yaml.safe_load(section)}", "training.epochs=3"]
    file = config_file.read(Path(__file__).parents[2] / "configs" / "taxi.yaml", overrides, folder)
    place, compiled = Home(folder, "taxi"), folder / "taxi.yaml"
    return SimpleNamespace(file=file, home=place, compiled=compiled, lines=kubeflow.compile(file, place, compiled))


@pytest.fixture
def watched(tmp_path: Path) -> Home:
    """The pipeline `small` with three runs: one that searched and trained, one from the cache, one at work."""
    from tests.pipeline import small_runs

    return small_runs.make(Home(tmp_path / "home", "small"))
