"""Write the files that put a model into a container and a cluster, from the templates in docker/ and k8s/."""

import re
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from string import Template

from google.protobuf import text_format

from serving import model_config, releases, storage
from serving.launcher import IMAGE

_FOLDERS = ("docker", "k8s")


def write_files(target: str | Path, base_path: str | Path, name: str = "", *, image: str = IMAGE) -> list[Path]:
    """Write Dockerfiles, compose.yaml, Kubernetes files, `models.config` and a copy of the versions served.

    Args:
        target: the folder to write to; what is there is overwritten.
        base_path: the folder of versions.
        name: of the model; '' takes the folder's.
        image: TensorFlow Serving's.

    Returns:
        What was written: files, and last the folder of versions.

    Raises:
        ValueError: a name that no container or cluster takes, or no version to serve.
    """
    base, target = Path(base_path).resolve(), Path(target)
    name = name or base.name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise ValueError(f"name: not for a file or an image, got {name}; use letters, digits, _ . and -")
    versions = _served(base)
    values = {"name": name, "dns": dns_name(name), "image": image, "baked": f"{dns_name(name)}-serving:latest"}
    written = []
    for folder, file, text in _templates():
        path = target / ("" if folder == "docker" else folder) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(values))
        written.append(path)
    written.append(_write_config(target, base, name))
    for number, version in versions.items():
        shutil.copytree(version, target / name / str(number), dirs_exist_ok=True)
    return [*written, target / name]


def dns_name(name: str) -> str:
    """A name Kubernetes takes: small letters, digits and -."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50] or "model"


def _served(base: Path) -> dict[int, Path]:
    """The versions a server would load now."""
    try:
        present = storage.list_versions(str(base))
    except OSError as error:
        raise ValueError(f"base path: cannot be read, got {base}; {error.strerror}") from None
    wanted = releases.current(base).versions or tuple(sorted(present)[-1:])
    found = {number: present[number] for number in wanted if number in present}
    if not found:
        raise ValueError(f"base path: no version to serve, got {base}; push a model first")
    return found


def _templates() -> Iterator[tuple[str, str, str]]:
    for folder in _FOLDERS:
        for file in sorted((resources.files("serving") / folder).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".in"):
                yield folder, file.name.removesuffix(".in"), file.read_text()


def _write_config(target: Path, base: Path, name: str) -> Path:
    """models.config for a container, where the versions are under /models."""
    release = releases.current(base)
    config = model_config.single(name, f"/models/{name}")
    entry = config.model_config_list.config[0]
    entry.model_version_policy.specific.versions.extend(release.versions)
    if not release.versions:
        entry.model_version_policy.latest.num_versions = 1
    for label, version in sorted(release.labels.items()):
        entry.version_labels[label] = version
    path = target / releases.CONFIG
    path.write_text(text_format.MessageToString(config))
    return path
