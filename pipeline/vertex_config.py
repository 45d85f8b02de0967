"""The `vertex` section of the config: the image and the storage of the steps on Vertex AI Pipelines."""

from typing import Annotated

from pydantic import Field

from pipeline.section import Section

Bucket = Annotated[str, Field(pattern=r"^gs://[^/]+")]


class Vertex(Section):
    """How the steps of a pipeline run on Vertex AI.

    Attributes:
        image: has this project and what it needs, in a registry of Google Cloud.
        home: the folder for everything that is written, in Cloud Storage.
    """

    image: Annotated[str, Field(min_length=1)]
    home: Bucket
