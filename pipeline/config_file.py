"""From a YAML file to a Config: every mistake at once, each with its line, its value and what was probably meant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from pipeline import config_checks, data_files, names, spans, yaml_file
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.home import home_root
from pipeline.section import Section
from pipeline.yaml_file import Path_, YamlFile


@dataclass(frozen=True)
class ConfigFile:
    """A checked config and where it came from.

    Attributes:
        path: the YAML file.
        overrides: the `--set` arguments applied on top.
        config: the content.
        data_root: where named datasets keep files that they have to write, a folder each.
        span: which spans of the data to read, see `spans.resolve`.
    """

    path: Path
    overrides: tuple[str, ...]
    config: Config
    data_root: Path
    span: str | None = None

    @cached_property
    def inputs(self) -> spans.Inputs:
        """The raw files, or the query."""
        return data_files.inputs(self.config.data, self.path, self.data_root, self.span)

    @cached_property
    def schema_path(self) -> Path | None:
        """The curated schema, or None."""
        name = self.config.schema_file
        return None if name is None else (self.path.parent / name).resolve()


def read(
    path: Path,
    overrides: Iterable[str] = (),
    home: Path | None = None,
    span: str | None = None,
    text: str | None = None,
) -> ConfigFile:
    """Read and check a config: its keys and values, and the names in it against files and columns.

    Args:
        path: the YAML file.
        overrides: `a.b=value`, applied on top.
        home: the folder for everything that is written; None takes the one `home_root` finds.
        span: which spans of the data to read, see `spans.resolve`.
        text: stands for the file's content, where it was sent; its paths are still relative to `path`.

    Raises:
        ConfigError: one line per mistake.
    """
    overrides, data_root = tuple(overrides), (home or home_root()) / "data"
    source = yaml_file.read(path, overrides, text)
    sections, mistakes = _sections(source)
    mistakes += config_checks.mistakes(source, sections, data_root, span)
    if mistakes:
        raise ConfigError(*mistakes)
    given = {name for name, field in Config.model_fields.items() if (field.alias or name) in source.data}
    return ConfigFile(path, overrides, Config.model_construct(given, **sections), data_root, span)


def _sections(source: YamlFile) -> tuple[dict[str, Any], list[str]]:
    """Validate each section on its own, so that a mistake in one hides none in another."""
    keys = {field.alias or name: (name, field) for name, field in Config.model_fields.items()}
    mistakes = [
        f"{source.place((key,))}: unknown key, got {source.data[key]!r}; {names.suggestion(str(key), keys)}"
        for key in source.data
        if key not in keys
    ]
    sections = {}
    for key, (name, field) in keys.items():
        if key not in source.data:
            if field.is_required():
                mistakes.append(
                    f"{source.place((key,))}: is missing, got no value; add `{key}:`, see configs/taxi.yaml"
                )
            else:
                sections[name] = field.get_default()
            continue
        try:
            sections[name] = _adapter(field).validate_python(source.data[key])
        except ValidationError as error:
            for item in error.errors():
                # Pydantic says "[key]" of a mistake in the key of a map, which is the place itself.
                below = [part for part in item["loc"] if part != "[key]"]
                mistakes.append(_line(source, (key, *below), item))
    return sections, mistakes


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = field.annotation
    return TypeAdapter(Annotated[annotation, *field.metadata] if field.metadata else annotation)


def _line(source: YamlFile, key: Path_, item: Mapping[str, Any]) -> str:
    """Put one of pydantic's mistakes into our words."""
    place, value = source.place(key), item["input"]
    if item["type"] == "extra_forbidden":
        return f"{place}: unknown key, got {value!r}; {names.suggestion(str(key[-1]), _keys_below(Config, key[:-1]))}"
    if item["type"] == "missing":
        return f"{place}: is missing, got only {sorted(value)}; add it"
    if item["type"] == "value_error":
        return f"{place}: {item['ctx']['error']}"
    expected = item["msg"][0].lower() + item["msg"][1:]
    return f"{place}: {expected}, got {value!r}; see docs/config.md"


def _keys_below(annotation: Any, key: Path_) -> list[str]:
    """Return the keys that a section allows, found by walking the types along a key path."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        fields = {field.alias or name: field for name, field in annotation.model_fields.items()}
        return _keys_below(fields[str(key[0])].annotation, key[1:]) if key else list(fields)
    inner = get_args(annotation)
    if get_origin(annotation) in (dict, tuple, list):
        return _keys_below(inner[1] if get_origin(annotation) is dict else inner[0], key[1:])
    tagged = [member for member in inner if key and _tag(member) == key[0]]
    if tagged:
        return _keys_below(tagged[0], key[1:])
    return next(filter(None, (_keys_below(member, key) for member in inner)), [])


def _tag(member: Any) -> str | None:
    """Return the `kind` of a transform's section: pydantic puts it into the key path of a mistake."""
    kind = getattr(member, "model_fields", {}).get("kind")
    return get_args(kind.annotation)[0] if kind else None
