"""The `kubeflow` section of the config: the image, the storage and the machines of the steps on a cluster."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from pipeline.section import Section


def _text(value: Any) -> Any:
    """YAML reads 2 and 0.5 as numbers; Kubernetes writes them as text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Cpu = Annotated[str, BeforeValidator(_text), Field(pattern=r"^(\d*\.)?\d+m?$")]
Memory = Annotated[str, BeforeValidator(_text), Field(pattern=r"^\d+([EPTGMK]i?)?$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
# Of objects in a cluster: RFC 1123.
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]


class Accelerator(Section):
    """What a step needs besides processors.

    Attributes:
        type: a resource of the cluster's nodes.
        count: so many for each try of the step; kfp allows these only.
    """

    type: str = "nvidia.com/gpu"
    count: Annotated[int, Field(gt=0)] = 1

    @field_validator("count")
    @classmethod
    def _of_kfp(cls, count: int) -> int:
        if count not in (1, 2, 4, 8, 16):
            raise ValueError(f"kfp has no such number of accelerators, got {count}; write 1, 2, 4, 8 or 16")
        return count


class Pod(Section):
    """What a step runs on. What one step leaves out, it takes from all steps; null is none of it.

    Attributes:
        cpu: requested, as Kubernetes writes it: 2, 0.5, 500m.
        memory: requested, and the limit: 8G, 512Mi.
        accelerator: none unless named.
        node_selector: labels that the node must have.
        retries: so many more tries after a failure, the first after a minute, each later one after twice the time.
        cache: false runs the step anew, although the same inputs were worked on before.
    """

    cpu: Cpu | None = None
    memory: Memory | None = None
    accelerator: Accelerator | None = None
    node_selector: dict[str, Annotated[str, BeforeValidator(_text)]] | None = None
    retries: Annotated[int, Field(ge=0)] | None = None
    cache: bool | None = None


class Kubeflow(Pod):
    """How the steps of a pipeline run as containers of Kubeflow Pipelines.

    Attributes:
        image: has this project and what it needs; the config is sent along, so that changing it needs no new image.
        image_pull_secrets: names of secrets that open the image's registry.
        home: the folder for everything that is written, the same in every container.
        volume: name of the persistent volume claim that is mounted there.
        service_account: of the runs; None takes the namespace's.
        env: variables of every container.
        secrets: by variable, SECRET/KEY of the secret that holds its value.
        steps: what is different for one step, by its name.
    """

    image: Annotated[str, Field(min_length=1)]
    image_pull_secrets: tuple[ObjectName, ...] = ()
    home: Annotated[str, Field(pattern=r"^/")] = "/var/lib/slipway"
    volume: ObjectName | None = None
    service_account: ObjectName | None = None
    env: dict[Variable, Annotated[str, BeforeValidator(_text)]] = {}
    secrets: dict[Variable, str] = {}
    steps: dict[str, Pod] = {}

    @field_validator("secrets")
    @classmethod
    def _by_name(cls, secrets: dict[str, str]) -> dict[str, str]:
        for variable, place in secrets.items():
            if not re.fullmatch(r"[a-z0-9.-]+/[A-Za-z0-9._-]+", place):
                # The value is not printed: it may be the secret itself.
                raise ValueError(f"no SECRET/KEY, got another text for {variable}; write the secret's name and its key")
        return secrets

    def pod(self, step: str) -> Pod:
        """Return what one step runs on."""
        general = {name: getattr(self, name) for name in Pod.model_fields}
        own = self.steps[step].model_dump(exclude_unset=True) if step in self.steps else {}
        return Pod.model_validate(general | own)
