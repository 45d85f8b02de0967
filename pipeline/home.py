"""Where everything that a run writes is kept: one folder, never under the sources."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The output folder of one pipeline.

    Attributes:
        root: the folder of all pipelines, `.slipway` unless told otherwise.
        name: the pipeline.
    """

    root: Path
    name: str

    @property
    def serving(self) -> Path:
        """The folder a model server watches; one numbered folder per pushed version."""
        return self.root / "serving" / self.name

    @property
    def mobile(self) -> Path:
        """The folder of what phones get; one numbered folder per pushed version, the same as in `serving`."""
        return self.root / "mobile" / self.name

    @property
    def runs(self) -> Path:
        """The folder of the run records, one folder per run."""
        return self.root / "runs" / self.name

    @property
    def artifacts(self) -> Path:
        """TFX's pipeline root."""
        return self.root / "artifacts" / self.name

    @property
    def metadata(self) -> Path:
        """The ML Metadata database."""
        return self.root / "metadata" / self.name / "metadata.sqlite"

    def versions(self) -> list[int]:
        """Return the pushed versions, rising."""
        folders = self.serving.iterdir() if self.serving.is_dir() else ()
        return sorted(int(folder.name) for folder in folders if folder.name.isdigit())


def home_root(given: str | None = None) -> Path:
    """Return the absolute root: the argument, else SLIPWAY_HOME, else `.slipway` in the working directory."""
    return Path(given or os.environ.get("SLIPWAY_HOME") or ".slipway").absolute()
