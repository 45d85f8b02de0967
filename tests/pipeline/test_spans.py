"""Which files the spans of a path are: as TFX finds them, several at once, and a missing one is told."""

from pathlib import Path

import pytest
from tfx.components.example_gen import utils
from tfx.proto import example_gen_pb2, range_config_pb2

from pipeline import spans

TREES = {
    "d-{SPAN}/*.csv": ["d-1/a.csv", "d-2/a.csv", "d-2/b.csv", "d-10/a.csv", "d-x/a.csv", "e-11/a.csv", "d-12/a.txt"],
    "d-{SPAN:2}/*.csv": ["d-01/a.csv", "d-09/a.csv", "d-10/a.csv"],
    "{SPAN}.csv": ["7.csv", "8.csv", "9.txt"],
    "d-{SPAN}/v-{VERSION}/[ab]?.csv": [
        "d-1/v-1/a1.csv", "d-1/v-2/a1.csv", "d-2/v-9/b1.csv", "d-2/v-10/b1.csv", "d-2/v-11/c1.csv", "d-1/v-3/a11.csv",
    ],
    "{YYYY}/{MM}/{DD}/*": ["2025/12/31/a", "2026/01/01/a", "2024/02/29/a"],
    "{YYYY}{MM}{DD}.csv": ["20251231.csv", "20260101.csv", "20260115.csv"],
}  # fmt: skip


@pytest.fixture
def tree(tmp_path):
    """Return a function that makes the files of a path, or those given, and gives the path."""

    def made(pattern, files=None):
        for name in TREES[pattern] if files is None else files:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a\n1\n")
        return str(tmp_path / pattern)

    return made


def _files(inputs):
    return {name: sorted(file for one in patterns for file in _glob(one)) for name, patterns in inputs.patterns.items()}


def _glob(pattern):
    root = Path(pattern).anchor
    return [str(path) for path in Path(root).glob(str(Path(pattern).relative_to(root)))]


@pytest.mark.parametrize("pattern", TREES)
def test_the_span_and_version_of_a_path_are_those_that_tfx_finds(tree, pattern):
    path = tree(pattern, [file for file in TREES[pattern] if "x" not in file and "c1" not in file])
    split = example_gen_pb2.Input.Split(name="rows", pattern=pattern)
    _, span, version = utils.calculate_splits_fingerprint_span_and_version(path.removesuffix(pattern), [split])
    found = spans.resolve({"rows": path}, None)
    assert (found.spans, found.version) == ((span, span), version)
    assert _files(found)["rows"] == sorted(_glob(path.removesuffix(pattern) + split.pattern))
    range_config = range_config_pb2.RangeConfig(static_range={"start_span_number": span, "end_span_number": span})
    split.pattern = pattern
    utils.calculate_splits_fingerprint_span_and_version(path.removesuffix(pattern), [split], range_config)
    assert _files(found)["rows"] == sorted(_glob(path.removesuffix(pattern) + split.pattern))


CHOSEN = {
    ("d-{SPAN}/*.csv", "1"): ((1, 1), ["d-1/a.csv"]),
    ("d-{SPAN}/*.csv", "latest"): ((10, 10), ["d-10/a.csv"]),
    ("d-{SPAN}/*.csv", "1-2"): ((1, 2), ["d-1/a.csv", "d-2/a.csv", "d-2/b.csv"]),
    ("d-{SPAN:2}/*.csv", "9-10"): ((9, 10), ["d-09/a.csv", "d-10/a.csv"]),
    ("d-{SPAN}/v-{VERSION}/[ab]?.csv", "1-2"): ((1, 2), ["d-1/v-2/a1.csv", "d-2/v-10/b1.csv"]),
    ("{YYYY}/{MM}/{DD}/*", "20240229"): ((19782, 19782), ["2024/02/29/a"]),
    ("{YYYY}{MM}{DD}.csv", "20251231-20260101"): ((20453, 20454), ["20251231.csv", "20260101.csv"]),
}


@pytest.mark.parametrize(("pattern", "wanted"), CHOSEN)
def test_one_span_or_several_are_read(tree, tmp_path, pattern, wanted):
    numbers, files = CHOSEN[pattern, wanted]
    found = spans.resolve({"rows": tree(pattern)}, wanted)
    assert found.spans == numbers
    assert _files(found)["rows"] == sorted(str(tmp_path / file) for file in files)


REFUSED = {
    ("d-{SPAN}/*.csv", "3"): "no such span, got 3; there are 1-2, 10",
    ("d-{SPAN}/*.csv", "1-10"): "no such span, got 3-9; there are 1-2, 10",
    ("d-{SPAN}/*.csv", "1-99999999999"): "no such span, got 3-9, 11-13; there are 1-2, 10",
    ("d-{SPAN}/*.csv", "2-1"): "the first span comes after the last, got '2-1'; swap them",
    ("d-{SPAN}/*.csv", "last"): "no span, got 'last'; write latest, a number, or the first and the last as 3-7",
    ("d-{SPAN}/*.csv", "-1"): "no span, got '-1'; write latest",
    ("{YYYY}{MM}{DD}.csv", "20260101-20260115"): (
        "no such span, got 20260102-20260111; there are 20251231-20260101, 20260115"
    ),
    ("{YYYY}{MM}{DD}.csv", "20454"): "the spans of these data are days, got '20454'; write them as 20260131",
    ("{YYYY}{MM}{DD}.csv", "2026011"): "the spans of these data are days, got '2026011'",
    ("{YYYY}{MM}{DD}.csv", "202601001"): "the spans of these data are days, got '202601001'",
    ("{YYYY}{MM}{DD}.csv", "20261301"): "the spans of these data are days, got '20261301'",
}  # fmt: skip


@pytest.mark.parametrize(("pattern", "wanted"), REFUSED)
def test_a_span_that_is_not_there_is_told_with_those_that_are(tree, pattern, wanted):
    with pytest.raises(spans.NoSpan) as error:
        spans.resolve({"rows": tree(pattern)}, wanted)
    assert str(error.value).startswith(REFUSED[pattern, wanted])


def test_a_number_with_more_digits_than_a_date_is_none(tree):
    found = spans.resolve({"rows": tree("{YYYY}{MM}{DD}.csv", ["20260101.csv", "202601150.csv", "2026115.csv"])}, None)
    assert [Path(pattern).name for pattern in found.patterns["rows"]] == ["20260101.csv"]


def test_a_long_list_of_spans_is_cut(tree):
    path = tree("{SPAN}.csv", [f"{number}.csv" for number in range(0, 100, 2)])
    with pytest.raises(spans.NoSpan, match=r"got 51; there are …, 80, 82, 84, 86, 88, 90, 92, 94, 96, 98$"):
        spans.resolve({"rows": path}, "51")


def test_data_without_spans_are_read_as_they_are_and_have_none_to_ask_for(tmp_path):
    paths = {"train": str(tmp_path / "train.csv"), "eval": str(tmp_path / "eval.csv")}
    assert spans.resolve(paths, None) == spans.Inputs({name: [path] for name, path in paths.items()})
    with pytest.raises(
        spans.NoSpan, match=r"the data have no spans, got 'latest'; drop it, or put {SPAN} into data.path"
    ):
        spans.resolve(paths, "latest")


def test_files_of_no_span_and_days_that_do_not_exist_are_told(tree):
    with pytest.raises(FileNotFoundError, match=r"no file matches, got .*{SPAN}.csv'; check the path"):
        spans.resolve({"rows": tree("{SPAN}.csv", ["a.csv"])}, None)
    with pytest.raises(FileNotFoundError, match=r"no date in a path, got .*20260230.csv'; rename it"):
        spans.resolve({"rows": tree("{YYYY}{MM}{DD}.csv", ["20260230.csv"])}, None)


def test_the_latest_span_and_version_are_those_that_every_split_has(tree):
    made = ["t/1/1", "t/1/2", "t/2/1", "t/2/2", "t/3/1", "e/1/1", "e/1/2", "e/2/1", "e/4/1"]
    paths = {name: tree(name[0] + "/{SPAN}/{VERSION}", made) for name in ("train", "eval")}
    found = spans.resolve(paths, None)
    assert (found.spans, found.version) == ((2, 2), 1)
    assert [patterns[0][-5:] for patterns in found.patterns.values()] == ["t/2/1", "e/2/1"]
    with pytest.raises(spans.NoSpan, match=r"no such span, got 3; there are 1-2"):
        spans.resolve(paths, "3")


UNSOUND = {
    ("{SPAN}/{SPAN}",): "a sign stands twice, got '{SPAN}/{SPAN}'",
    ("{YYYY}/{MM}",): "half a date, or a date and a span, got '{YYYY}/{MM}'",
    ("{YYYY}{MM}{DD}/{SPAN}",): "half a date, or a date and a span",
    ("{VERSION}",): "a version of no span, got '{VERSION}'; write {SPAN} too",
    ("{SPAN:x}",): "no width, got '{SPAN:x}'; write for instance {SPAN:3}",
    ("{SPAN:0}",): "no width, got '{SPAN:0}'",
    ("{YYYY:4}{MM}{DD}",): "no width, got '{YYYY:4}'",
    ("{SPAN}/a", "b"): "the splits have different signs, got ['{SPAN}/a', 'b']",
}


@pytest.mark.parametrize("patterns", UNSOUND)
def test_signs_that_do_not_fit_together_are_told(patterns):
    with pytest.raises(ValueError) as error:  # noqa: PT011, the words are compared below
        spans.require_sound(patterns)
    assert str(error.value).startswith(UNSOUND[patterns])


def test_sound_signs_pass():
    for pattern in [*TREES, "plain.csv", "{other}.csv"]:
        spans.require_sound([pattern, pattern])
