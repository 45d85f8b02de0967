"""A few thousand docstrings of eight installed libraries, with the names masked: which library is this about?

The recipe is pinned, the libraries are not: another version of a library is another text. The files are parsed, never
imported.
"""

import ast
import hashlib
import importlib.metadata
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data.source import Source
from data.sources import _csv_file, _installed

# By import name, the distribution and the short names under which documents speak of it.
LIBRARIES = {
    "apache_beam": ("apache-beam", ("beam",)),
    "keras": ("keras", ("kt",)),
    "nltk": ("nltk", ()),
    "numpy": ("numpy", ("np", "npt")),
    "pandas": ("pandas", ("pd",)),
    "scipy": ("scipy", ("sp",)),
    "sklearn": ("scikit-learn", ("scikit", "skl")),
    "tensorflow": ("tensorflow", ("tf", "tflite", "tfe")),
}
DOCUMENTS = 600  # of each library
MIN_WORDS = 15
MAX_CHARACTERS = 1500
RECIPE = "2"  # part of the file's name: raise it when the recipe changes
DOCTEST = re.compile(r"^[ \t]*>>>.*\n?(?:.*\S.*\n?)*", re.MULTILINE)  # with its output, up to the next empty line
VERSION_NOTE = re.compile(r"^[ \t]*\.\. (?:version|deprecated).*$", re.MULTILINE)
ADDRESS = re.compile(r"\w+://\S+")
DOTTED = re.compile(r"\w+(?:[.-]\w+)*")
COLUMNS = ("text", "module", "kind", "library")


def locate(folder: Path) -> str:
    """Write the documents once for the libraries' versions, and return the path of the CSV file.

    Raises:
        FileNotFoundError: a library is not installed.
    """
    return _csv_file.written_once(folder / f"docs-{_versions_digest()}.csv", lambda: (COLUMNS, _rows()))


def _versions_digest() -> str:
    try:
        versions = [importlib.metadata.version(distribution) for distribution, _ in LIBRARIES.values()]
    except importlib.metadata.PackageNotFoundError as error:
        raise FileNotFoundError(
            f"docs are read from installed libraries, got no {error.name}; run `make setup`"
        ) from error
    return hashlib.sha256(" ".join([RECIPE, *versions]).encode()).hexdigest()[:12]


def _rows() -> list[tuple[str, ...]]:
    """Return (text, module, kind, library) of every document, without those that two libraries share."""
    roots = {library: _installed.folder(library) for library in LIBRARIES}
    names = _masked_names(roots)
    found = {library: _documents(library, root, names) for library, root in roots.items()}
    shared = Counter(text for documents in found.values() for text in documents)
    rows: list[tuple[str, ...]] = []
    for library, documents in found.items():
        rows += [(text, *origin, library) for text, origin in documents.items() if shared[text] == 1]
    return rows


def _masked_names(roots: dict[str, Path]) -> frozenset[str]:
    """Return the names of the libraries, those they go by, and those of their top-level modules, in small letters."""
    aliases = {alias for _, short in LIBRARIES.values() for alias in short}
    modules = {path.stem for root in roots.values() for path in root.iterdir() if path.suffix in ("", ".py")}
    return frozenset(name.lower() for name in {*LIBRARIES, *aliases, *modules} if not name.startswith("_"))


def _documents(library: str, root: Path, names: frozenset[str]) -> dict[str, tuple[str, str]]:
    """Return (module, kind) by masked text of the first documents of a library, in an order that is a hash's."""
    files = [path.relative_to(root) for path in root.rglob("*.py")]
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(files, key=lambda path: hashlib.sha256(path.as_posix().encode()).digest()):
        if any(part.startswith(("test", "_test", "conftest")) or part.endswith("_test.py") for part in file.parts):
            continue
        module = ".".join((library, *file.with_suffix("").parts))
        for kind, text in _docstrings(root / file):
            masked = _masked(text, names)
            if len(masked.split()) >= MIN_WORDS:
                found.setdefault(masked, (module, kind))
        if len(found) >= DOCUMENTS:
            break
    return dict(list(found.items())[:DOCUMENTS])


def _docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Yield ("class" or "function", docstring) of what is public in a file."""
    try:
        nodes: list[ast.stmt] = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError):  # a template, or a file for another Python
        return
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if text := ast.get_docstring(node):
                yield ("class" if isinstance(node, ast.ClassDef) else "function"), text
            nodes += node.body if isinstance(node, ast.ClassDef) else []


def _masked(text: str, names: frozenset[str]) -> str:
    """Return a document in one line, without code, addresses, versions and the names of libraries and modules."""

    def unless_name(word: re.Match[str]) -> str:
        parts = re.split(r"[.-]", word[0].lower())
        tells = any(part in names or any(name in part for name in (*LIBRARIES, "scikit")) for part in parts)
        return " " if tells else word[0]

    for pattern in (DOCTEST, VERSION_NOTE, ADDRESS):
        text = pattern.sub(" ", text)
    masked = " ".join(DOTTED.sub(unless_name, text).split())
    if len(masked) > MAX_CHARACTERS:
        # At the end of a word: half of `.npz` would name a library.
        masked = masked[: MAX_CHARACTERS + 1].rpartition(" ")[0]
    return masked.encode("utf-8", errors="replace").decode()


SOURCE = Source(
    format="csv",
    locate=locate,
    rows=4_800,
    licence=(
        "each document has the licence of its library: Apache-2.0 (apache_beam, keras, nltk, tensorflow) or "
        "BSD-3-Clause (numpy, pandas, scipy, sklearn); read from your own installation, not redistributed here"
    ),
    origin="the .py files of the installed libraries, by their authors; parsed and masked on your machine",
    about=(
        "One row is the docstring of one public class or function; `library`, the label, is one of eight, up to 600 "
        "rows each. Left out are tests, documents below 15 words, exact repetitions, doctests, addresses and notes on "
        "versions; the names of the libraries, their short names and dotted paths, and the names of all their "
        "top-level modules are cut out; a document ends after 1,500 characters. `module` is the answer itself and "
        "must not be a feature; documents of one module resemble each other. Which texts there are depends on the "
        "libraries' versions, so the two stacks differ a little. The style of a docstring tells much: the model "
        "learns habits of authors as well as subjects."
    ),
)
