"""Two slips of the pen that no linter finds: words glued at a line break, and an f that was forgotten."""

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise

import pytest

BETWEEN_PIECES = {tokenize.NL, tokenize.COMMENT}
PIECE_STARTS = {
    tokenize.STRING,
    getattr(tokenize, "FSTRING_START", tokenize.STRING),
}  # Python 3.11 has no FSTRING_START
PIECE_ENDS = {tokenize.STRING, getattr(tokenize, "FSTRING_END", tokenize.STRING)}
OPENING = re.compile(r"([a-zA-Z]*)('''|\"\"\"|'|\")")
PLACEHOLDER = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)(?:[.\[][^{}]*)?(?:![rsa])?(?::[^{}]*)?\}(?!\})")


def glued_lines(source: str) -> list[int]:
    """Lines that end with a piece of a string whose next piece starts without a space between the words.

    Raw strings are patterns, where pieces touch on purpose.
    """
    lines = source.splitlines()
    tokens = [t for t in tokenize.generate_tokens(StringIO(source).readline) if t.type not in BETWEEN_PIECES]
    found = []
    for piece, following in pairwise(tokens):
        if piece.type not in PIECE_ENDS or following.type not in PIECE_STARTS or piece.end[0] == following.start[0]:
            continue
        row, column = piece.end
        closing = 3 if lines[row - 1][:column].endswith(("'''", '"""')) else 1
        before = lines[row - 1][: column - closing]
        opening = OPENING.match(lines[following.start[0] - 1], following.start[1])
        after = lines[following.start[0] - 1][opening.end() :]
        if "r" in opening[1].lower() or before.endswith(("\\n", "\\t")):
            continue
        if re.search(r"[\w,.;:!?)}\]%]$", before) and re.match(r"[\w({\[%]", after):
            found.append(row)
    return found


def forgotten_prefixes(source: str) -> list[tuple[int, str]]:
    """(line, name) of plain pieces of strings that hold `{name}`, a variable of the function around them."""
    found = set()
    pieces = list(plain_pieces(source))
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            known = variables(function)
            spans = [
                ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in templates(function)
            ]
            for at, text in pieces:
                inside = function.lineno <= at[0] <= function.end_lineno
                if inside and not any(start <= at < end for start, end in spans):
                    found |= {(at[0], name) for name in PLACEHOLDER.findall(text) if name in known}
    return sorted(found)


def variables(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    arguments = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    return arguments | {
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def plain_pieces(source: str) -> Iterator[tuple[tuple[int, int], str]]:
    """((line, byte in the line), text) of each piece of a string without an f before it."""
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.STRING and not set(OPENING.match(token.string)[1].lower()) & {"f", "b"}:
            row, column = token.start
            yield (row, len(token.line[:column].encode())), ast.literal_eval(token.string)


def templates(function: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, and calls of .format() and .replace(), whose braces are meant."""
    for node in ast.walk(function):
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("format", "replace")
        ):
            yield node


def test_no_words_are_glued_at_a_line_break(python_files, place):
    found = [place(path, line) for path in python_files for line in glued_lines(path.read_text())]
    assert not found, f"a space is missing at the end of: {found}"


def test_no_f_was_forgotten(python_files, place):
    found = [
        f"{place(path, line)} {{{name}}}"
        for path in python_files
        for line, name in forgotten_prefixes(path.read_text())
        if path.parent.name != "house"
    ]
    assert not found, f"these strings need an f before them: {found}"


@pytest.mark.parametrize(
    ("pieces", "glued"),
    [
        (["'you must'", "'specify'"], True),
        (["f'got {value}'", "f'{unit}'"], True),
        (["f'got {value};'", "'do that'"], True),
        (['"""three"""', "'one'"], True),
        (["'you must '", "'specify'"], False),
        (["'you must'", "' specify'"], False),
        (["f'got {value}; '", "f'{unit}'"], False),
        (["'a line\\n'", "'another'"], False),
        (["'path/'", "'file'"], False),
        (["r'\\d+'", "r'\\w+'"], False),
    ],
)
def test_planted_glue_is_found(pieces, glued):
    source = f"value = unit = 1\ntext = (\n    {pieces[0]}  # why\n    {pieces[1]}\n)\n"
    ast.parse(source)
    assert glued_lines(source) == ([3] if glued else [])


@pytest.mark.parametrize(
    ("text", "forgotten"),
    [
        ("'got {value}'", True),
        ("'got {value!r:>10}'", True),
        ("'got {value.name}'", True),
        ("f'{value}: ' 'got {value}'", True),
        ("f'{value}: ' 'got {{value}}'", False),
        ("'é' + 'got {value}'", True),
        ("'got {other}'", False),
        ("'got {{value}}'", False),
        ("'got {value}'.format(value=1)", False),
        ("f'got {value}'", False),
    ],
)
def test_a_planted_forgotten_f_is_found(text, forgotten):
    source = f"def report(value):\n    raise ValueError({text})\n"
    assert forgotten_prefixes(source) == ([(2, "value")] if forgotten else [])
