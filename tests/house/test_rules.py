"""The rules of CONTRIBUTING.md that no linter knows."""

import ast
import re
from pathlib import Path

import pytest
import yaml

FILE_LINES, FUNCTION_LINES = 300, 40
TEST_FILE_LINES = 500
BUILD_FILES = ("requirements.txt", "pyproject.toml", "Makefile", "setup.sh", "Dockerfile", ".ci/run", "MLproject")
# A home folder, a workspace, a temporary folder of one machine; /usr, /etc and the like are on all of them.
MACHINE_PATH = re.compile(r"(?<![\w.$\-/}])/(?:home|root|Users|work|workspace|mnt|private|opt/\w+-dev)/[\w.]")
HOST = re.compile(
    r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:org|com|net|io|dev|ai|internal|local)\b(?=[/:\"' ]|$)", re.MULTILINE
)


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: a long explanation is no long function."""
    docstring = function.body[0].end_lineno - function.body[0].lineno + 1 if ast.get_docstring(function) else 0
    return function.end_lineno - function.lineno + 1 - docstring


def long_functions(source: str) -> list[tuple[int, str, int]]:
    """(line, name, lines) of the functions with more than 40 lines of code."""
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [(f.lineno, f.name, lines_of_code(f)) for f in functions if lines_of_code(f) > FUNCTION_LINES]


def test_functions_fit_on_a_screen(source_files, place):
    found = [
        f"{place(path, line)} {name}, {length} lines"
        for path in source_files
        for line, name, length in long_functions(path.read_text())
    ]
    assert not found, f"more than {FUNCTION_LINES} lines, split by meaning: {found}"


def test_files_have_one_idea(source_files, python_files, place):
    lengths = {path: len(path.read_text().splitlines()) for path in python_files}
    found = [
        f"{place(path, length)}"
        for path, length in lengths.items()
        if length > (FILE_LINES if path in source_files else TEST_FILE_LINES)
    ]
    assert not found, f"too long, split by meaning: {found}"


def test_components_keep_their_annotations(source_files, place):
    """TFX reads the annotations of a @component; `from __future__ import annotations` turns them into text."""
    found = [
        place(path, node.lineno)
        for path in source_files
        if path.parent.name == "components"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    assert not found


def test_no_file_names_a_place_of_one_machine(every_file, place):
    found = [
        f"{place(path, number)} {match[0]}"
        for path in every_file
        if (text := text_of(path)) is not None and path != Path(__file__)
        for number, line in enumerate(text.splitlines(), start=1)
        for match in MACHINE_PATH.finditer(line)
    ]
    assert not found


def text_of(path: Path) -> str | None:
    """The text of a file, or None of a picture or a model."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return None


def test_build_files_name_no_host(every_file, place):
    """Where packages come from is the machine's own setting: an index, a mirror, a folder of wheels."""
    found = [
        f"{place(path, text.count(chr(10), 0, match.start()) + 1)} {match[0]}"
        for path in every_file
        if place(path, 0).removesuffix(":0") in BUILD_FILES and (text := text_of(path))
        for match in HOST.finditer(text)
    ]
    assert not found


def test_the_head_of_a_config_says_what_it_reaches_and_how_to_run_it(every_file, place):
    for path in every_file:
        if path.suffix == ".yaml" and place(path, 0).startswith("configs/"):
            head = re.match(r"(?:#.*\n)*", path.read_text())[0]
            assert f"slipway run {path.parent.name}/{path.name}" in head, (
                f"{place(path, 1)} lacks the command in its head"
            )
            yaml.safe_load(path.read_text())


@pytest.mark.parametrize(("lines", "long"), [(40, False), (41, True)])
def test_a_planted_long_function_is_found(lines, long):
    body = "    pass\n" * (lines - 1)
    explained = '    """A docstring\n' + "    that explains\n" * 50 + '    """\n    pass\n'
    source = f"def work():\n{body}\ndef other():\n{explained}"
    assert [name for _, name, _ in long_functions(source)] == (["work"] if long else [])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('open("/home/ada/data.csv")', True),
        ("source /home/ada/.profile", True),
        ("cd /Users/ada/slipway", True),
        ("docker run -v $PWD:/slipway -w /slipway", False),
        ("https://example.org/home/page", False),
        ("#!/usr/bin/env bash", False),
        ("models/home/x", False),
    ],
)
def test_a_planted_machine_path_is_found(line, found):
    assert bool(MACHINE_PATH.search(line)) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--index-url https://pypi.org/simple", True),
        ('mirror = "packages.corp.internal:8080"', True),
        ("tfx==1.21.0", False),
        ("google-cloud-core", False),
    ],
)
def test_a_planted_host_is_found(line, found):
    assert bool(HOST.search(line)) == found
