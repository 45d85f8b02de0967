"""The fingerprint of a hook sees code, and only code that the hook reaches."""

import importlib
import subprocess
import sys

import pytest

from pipeline import fingerprint

HOOK = '''
import math
from helper import shared
LIMIT = 3

def hook(x):
    """Say nothing."""
    return inner(x) + shared(x)

def inner(x):
    return math.floor(x) + LIMIT

def other(x):
    return x
'''
HELPER = "def shared(x):\n    return x\n"


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Return a function from the text of a module and its helper to the fingerprint of its hook."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def computed(text: str = HOOK, helper: str = HELPER) -> str:
        (tmp_path / "hooked.py").write_text(text, encoding="utf-8")
        (tmp_path / "helper.py").write_text(helper, encoding="utf-8")
        importlib.invalidate_caches()
        fingerprint._tree.cache_clear()
        return fingerprint.of_function("hooked.hook")

    yield computed
    sys.modules.pop("hooked", None)
    fingerprint._tree.cache_clear()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Say nothing.", "Say much."),
        ("LIMIT = 3", "LIMIT = 3  # three"),
        ("return x\n", "return (x)\n"),
        ("def other(x)", "def another(x)"),
    ],
)
def test_comments_docstrings_layout_and_strangers_change_nothing(digest, old, new):
    assert old in HOOK
    assert digest(HOOK.replace(old, new)) == digest()


@pytest.mark.parametrize(("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("floor", "ceil"), ("inner(x) +", "inner(x) -")])
def test_an_edit_that_the_hook_reaches_changes_it(digest, old, new):
    assert digest(HOOK.replace(old, new)) != digest()


def test_an_edited_helper_module_changes_it(digest):
    assert digest(helper="def shared(x):\n    return 2 * x\n") != digest()


def test_a_hook_that_is_not_there_is_told():
    with pytest.raises(ValueError, match=r"no such function, got 'models\.tabular\.nothing'"):
        fingerprint.of_function("models.tabular.nothing")


def test_looking_at_hooks_imports_no_tensorflow():
    code = (
        "import sys; from pipeline import fingerprint; fingerprint.of_function('models.tabular.run_fn'); "
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
