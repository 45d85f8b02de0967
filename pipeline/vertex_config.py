"""The `vertex` section of the config: the image and the storage of the steps on Vertex AI Pipelines."""

from typing import Annotated

from pydantic import Field

from pipeline.section import Section

Bucket = Annotated[str, Field(pattern=r"^gs://[^/]+")]


class Machine(Section):
    """Where one job of Vertex AI runs.

    Attributes:
        project: of Google Cloud.
        region: such as europe-west4.
        machine_type: such as n1-standard-8.
        accelerator_type, accelerator_count: such as NVIDIA_TESLA_T4, 1; none unless named.
    """

    project: str
    region: str
    machine_type: str = "n1-standard-4"
    accelerator_type: str | None = None
    accelerator_count: Annotated[int, Field(gt=0)] = 1


class Endpoint(Machine):
    """Where the pushed model is served.

    Attributes:
        image: of the server.
    """

    image: str = "europe-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"


class Vertex(Section):
    """How the steps of a pipeline run on Vertex AI.

    Attributes:
        image: has this project and what it needs, in a registry of Google Cloud.
        home: the folder for everything that is written, in Cloud Storage.
        training: the final training runs as a custom job on this machine; None trains in the step's container.
        endpoint: the model is deployed here; None pushes it to a folder.
    """

    image: Annotated[str, Field(min_length=1)]
    home: Bucket
    training: Machine | None = None
    endpoint: Endpoint | None = None
