"""A fingerprint of the code behind a hook, so that TFX's cache sees an edited function and only that.

TFX's cache key holds the dotted path of a hook, not its code. The fingerprint covers the function and whatever of our
own sources it reaches by name: functions, classes and constants of its module, and those it imports. Comments,
docstrings and layout are no part of it. What is reached by a computed name (`getattr`, a registry) is not seen.
"""

import ast
import hashlib
import importlib.util
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

INSTALLED = tuple(Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "stdlib"))


def of_function(dotted: str) -> str:
    """Return a hexadecimal fingerprint of a function, 16 characters.

    Args:
        dotted: its dotted path, `models.tabular.run_fn`.

    Raises:
        ValueError: the module has no such name.
    """
    module, _, name = dotted.rpartition(".")
    if (tree := _tree(module)) is None or name not in tree:
        raise ValueError(f"no such function, got {dotted!r}; check module and name")
    seen: dict[tuple[str, str], str] = {}
    _collect(module, name, seen)
    return _digest(f"{key}={text}" for key, text in sorted(seen.items()))


def of_modules(*modules: str) -> str:
    """Return a fingerprint of whole modules, 16 characters, with what they import of ours."""
    seen: dict[tuple[str, str], str] = {}
    for module in modules:
        for name in _tree(module) or ():
            _collect(module, name, seen)
    return _digest(f"{key}={text}" for key, text in sorted(seen.items()))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _collect(module: str, name: str, seen: dict[tuple[str, str], str]) -> None:
    """Add the definition of `module.name`, and all it reaches, to `seen`."""
    tree = _tree(module)
    if tree is None or name not in tree or (module, name) in seen:
        return
    node = tree[name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        _follow(node, name, seen)
        return
    seen[module, name] = ast.dump(node)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            _collect(module, inner.id, seen)
        elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            _collect_attribute(tree.get(inner.value.id), inner, seen)
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            for alias in inner.names:
                _follow(inner, alias.asname or alias.name, seen)


def _collect_attribute(imported: ast.AST | None, attribute: ast.Attribute, seen: dict[tuple[str, str], str]) -> None:
    """Add `attribute.attr` where its object is an imported module of ours: `_export.export`."""
    if isinstance(imported, ast.ImportFrom | ast.Import):
        for module in _modules(imported, attribute.value.id):  # type: ignore[attr-defined]
            _collect(module, attribute.attr, seen)


def _follow(node: ast.Import | ast.ImportFrom, name: str, seen: dict[tuple[str, str], str]) -> None:
    """Add what an import statement binds to `name`: one definition; a module's parts come as attributes are met."""
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                _collect(node.module, alias.name, seen)


def _modules(node: ast.Import | ast.ImportFrom, name: str) -> list[str]:
    """Return the modules that `name` may be after an import statement."""
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [prefix + alias.name for alias in node.names if (alias.asname or alias.name) == name]


@cache
def _tree(module: str) -> dict[str, ast.AST] | None:
    """Return the top-level definitions of a module of ours by name; None for an installed or missing module."""
    # The package first: looking a dotted module up imports its parents, and TFX's take seconds.
    if _own_source(module.partition(".")[0]) is None or (path := _own_source(module)) is None:
        return None
    definitions: dict[str, ast.AST] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for name in _bound(node):
            definitions[name] = _without_docstrings(node)
    return definitions


def _own_source(module: str) -> Path | None:
    """Return the file of a module; None when it is missing, installed or no Python source."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin).resolve()
    return None if any(path.is_relative_to(folder) for folder in INSTALLED) else path


def _bound(node: ast.stmt) -> list[str]:
    """Return the names that a top-level statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.If | ast.Try | ast.With):
        return [name for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt) for name in _bound(inner)]
    return [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)]


def _without_docstrings(node: ast.AST) -> ast.AST:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = inner.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                inner.body = inner.body[1:] or [ast.Pass()]
    return node
