"""Write the files that put a model into a container and a cluster, from the templates in docker/ and k8s/."""

import json
import os
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from string import Template

from google.protobuf import text_format

from serving import client, model_config, releases, storage
from serving.launcher import IMAGE, config_flags

# Template by what it becomes. Kubernetes gets one of two Deployments: versions baked into an image, or on a volume.
_FILES = {
    "Dockerfile": "docker/Dockerfile.in",
    "Dockerfile.embedded": "docker/Dockerfile.embedded.in",
    "compose.yaml": "docker/compose.yaml.in",
    "k8s/config.yaml": "k8s/config.yaml.in",
    "k8s/service.yaml": "k8s/service.yaml.in",
    "k8s/hpa.yaml": "k8s/hpa.yaml.in",
    "k8s/baked/deployment.yaml": "k8s/deployment.yaml.in",
    "k8s/volume/deployment.yaml": "k8s/deployment.yaml.in",
    "k8s/volume/pvc.yaml": "k8s/pvc.yaml.in",
}
# The status URL, asked without curl, which neither image has.
_HEALTH = (
    "exec 3<>/dev/tcp/127.0.0.1/8501 && printf 'GET /v1/models/%s HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q AVAILABLE <&3"
)
_MOUNT = "\n            - {name: models, mountPath: /models, readOnly: true}"
_VOLUME = "\n        - {name: models, persistentVolumeClaim: {claimName: %s-models}}"


def write_files(target: str | Path, base_path: str | Path, name: str = "", *, image: str = IMAGE) -> list[Path]:
    """Write Dockerfiles, compose.yaml, Kubernetes files, and in models/ `models.config` and the versions served.

    It may be run again while a server reads models/: a version appears whole, and goes after the config that named it.

    Args:
        target: the folder to write to; what is there is overwritten.
        base_path: the folder of versions.
        name: of the model; '' takes the folder's.
        image: TensorFlow Serving's, by tag or by digest.

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
    release = releases.current(base)
    copied = target / "models" / name
    for number, version in versions.items():
        _copy_version(version, copied / str(number))
    written = [_write(target / "models" / releases.CONFIG, _config(release, name))]
    for stale in set(storage.list_versions(str(copied))) - set(versions):
        shutil.rmtree(copied / str(stale))
    for file, template in _FILES.items():
        values = _values(name, image, versions, release, on_volume="volume" in file)
        written.append(_write(target / file, Template(_resource(template)).substitute(values)))
    written += [_write(target / "server" / file, text) for file, text in _server()]
    return [*written, copied]


def dns_name(name: str) -> str:
    """A name Kubernetes takes: small letters, digits and -."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:50].strip("-") or "model"


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


def _config(release: releases.Release, name: str) -> str:
    """models.config for a container, where the versions are under /models."""
    config = model_config.single(name, f"/models/{name}")
    entry = config.model_config_list.config[0]
    entry.model_version_policy.specific.versions.extend(release.versions)
    if not release.versions:
        entry.model_version_policy.latest.num_versions = 1
    for label, version in sorted(release.labels.items()):
        entry.version_labels[label] = version
    return text_format.MessageToString(config)


def _values(
    name: str, image: str, versions: Iterable[int], release: releases.Release, *, on_volume: bool
) -> dict[str, str]:
    """What the templates ask for. Lists are JSON, which Dockerfiles and YAML both read."""
    dns = dns_name(name)
    # The tag says which versions are inside, so that new ones roll out and old ones can be named.
    baked = f"{dns}-serving:{'-'.join(map(str, versions))}"
    health = ["bash", "-c", _HEALTH % name]
    return {
        "name": name,
        "dns": dns,
        "image": image,
        "baked": baked,
        "flags": json.dumps(config_flags(f"/models/{releases.CONFIG}")),
        "health": json.dumps(health),
        "compose_health": json.dumps(["CMD", *health]),
        "config": textwrap.indent(_config(release, name).rstrip(), " " * 4),
        "started": client.path(name, label="stable") + "/metadata" if "stable" in release.labels else client.path(name),
        "pod_image": image if on_volume else baked,
        "pod_flags": json.dumps(config_flags(f"/config/{releases.CONFIG}")),
        "pod_mount": _MOUNT if on_volume else "",
        "pod_volume": _VOLUME % dns if on_volume else "",
    }


def _resource(file: str) -> str:
    return (resources.files("serving") / file).read_text()


def _server() -> Iterator[tuple[str, str]]:
    """The embedded server's sources and locked requirements."""
    yield "requirements.txt", _resource("docker/requirements.txt")
    for source in sorted(resources.files("serving").iterdir(), key=lambda file: file.name):
        if source.name.endswith(".py"):
            yield f"serving/{source.name}", source.read_text()


def _copy_version(source: Path, copy: Path) -> None:
    """Copy under a name that no server looks at, then rename."""
    if copy.exists() and storage.fingerprint(copy) == storage.fingerprint(source):
        return
    unfinished = copy.with_name(f".{copy.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished)
    shutil.rmtree(copy, ignore_errors=True)
    unfinished.rename(copy)


def _write(path: Path, text: str) -> Path:
    """Write a file that a reader never sees half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text)
    os.replace(unfinished, path)
    return path
