"""Arrays of pixels as PNG files, one folder per class: how a dataset that ships as arrays becomes raw files."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GLOB = "*/*.png"


def write_once(folder: Path, pictures: Iterable[tuple[Any, str]]) -> str:
    """Write pictures unless they are there, whole or not at all.

    Args:
        folder: gets one folder per class, and in it one file per picture, numbered over all classes.
        pictures: pixels uint8 [height, width] or [height, width, 3], with the name of their class.

    Returns:
        The glob of the files.
    """
    if not folder.exists():
        from PIL import Image

        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            for number, (pixels, label) in enumerate(pictures):
                (unfinished / label).mkdir(exist_ok=True)
                Image.fromarray(pixels).save(unfinished / label / f"{number:05d}.png")
            unfinished.chmod(0o755)
            unfinished.replace(folder)
        except OSError:
            # Another process was first: its files are the same.
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return str(folder / GLOB)
