"""Which columns `slipway init` leaves out, in which words; and what it takes a label for."""

import numpy as np
import pandas as pd
import pytest

from pipeline import init_dates, init_label, init_suspects, init_table, raw_rows
from pipeline.errors import DataError

ROWS = 600
RANDOM = np.random.default_rng(7)
SIGNAL = RANDOM.normal(size=ROWS)
NOISE = RANDOM.normal(size=ROWS)
WORD = np.array(["no", "yes"])[(SIGNAL + NOISE > 0).astype(int)]
FREQUENT = max(("no", "yes"), key=list(WORD).count)
CLASS = np.array(["red", "green", "blue"])[np.digitize(SIGNAL, [-0.5, 0.5])]
AMOUNT = SIGNAL.round(3)
LABELS = {"binary": WORD, "multiclass": CLASS, "regression": AMOUNT}


@pytest.fixture
def looked(tmp_path):
    """Return a function from columns to the table and the label that `slipway init` sees, read from two files."""

    def look(label, **columns):
        frame = pd.DataFrame({"label": label, **columns})
        for part, rows in enumerate((frame[:-9], frame[-9:])):
            rows.to_csv(tmp_path / f"rows-{part}.csv", index=False)
        table = init_table.look(raw_rows.of_files("csv", [str(tmp_path / "rows-*.csv")], {}), "label")
        return table, init_label.decide(table, "label")

    return look


def _numbered(prefix, count=ROWS):
    return [f"{prefix}{i % count}" for i in range(ROWS)]


AT_SIGHT = {
    "constant text": ("binary", ["x"] * ROWS, "constant: x in every row"),
    "constant number": ("binary", [7] * ROWS, "constant: 7 in every row"),
    "one word or none": ("binary", ["x", None] * (ROWS // 2), None),
    "number": ("binary", SIGNAL, None),
    "numbers that never repeat": ("regression", NOISE, None),
    "whole number id": ("binary", RANDOM.permutation(ROWS) + 1000, "unique in every row: an id says nothing"),
    "text id": ("regression", _numbered("id"), "unique in every row: an id says nothing about new rows"),
    "whole numbers that repeat": ("binary", np.arange(ROWS) // 2, None),
    "sentences": ("binary", _numbered("s", 400), "400 different texts in 600 rows: an id or sentences"),
    "words": ("binary", _numbered("w", 200), None),
    "dates, all different": (
        "binary",
        [f"20{10 + i // 336}-{1 + i // 28 % 12:02d}-{1 + i % 28:02d}" for i in range(ROWS)],
        None,
    ),
    "half missing": ("binary", np.where(np.arange(ROWS) % 2, NOISE, np.nan), None),
    "more than half missing": ("binary", np.where(np.arange(ROWS) % 3, np.nan, NOISE), "66.7 % missing"),
    "empty": ("binary", [None] * ROWS, "empty in every row"),
    "infinite": ("binary", [np.inf, *NOISE[1:]], "infinite values, which make every mean infinite"),
    "copy of a binary label": ("binary", WORD, "a copy of the label"),
    "binary label under other names": (
        "binary",
        np.where(WORD == "no", "N", "J"),
        "a copy of the label under other names: J is yes, N is no",
    ),
    "binary label as 0 and 1": (
        "binary",
        (WORD == "no").astype(int),
        "a copy of the label under other names: 0 is yes, 1 is no",
    ),
    "binary label with gaps": ("binary", [None, *WORD[1:]], "a copy of the label"),
    "a word for the rows of one class": ("binary", np.where(WORD == FREQUENT, "x", None), None),
    "classes under other names": (
        "multiclass",
        pd.Series(CLASS).map({"red": "r", "green": "g", "blue": "b"}),
        "a copy of the label under other names: b is blue, g is green, r is red",
    ),
    "two of three classes told apart": ("multiclass", np.where(CLASS == "red", 1, 0), None),
    "copy of a number": ("regression", AMOUNT, "a copy of the label"),
    "the number in another unit": ("regression", AMOUNT * -25.4, "a copy of the label in another unit"),
    "the number with noise": ("regression", AMOUNT + NOISE, None),
}


@pytest.mark.parametrize("name", AT_SIGHT)
def test_a_column_is_left_out_at_sight_with_its_reason(name, looked):
    task, values, reason = AT_SIGHT[name]
    table, label = looked(LABELS[task], column=values)
    assert label.task == task
    found = init_suspects.at_sight(table.columns["column"], label)
    assert found == reason if reason is None else found.startswith(reason)


LEAKS = {
    # task: (a column that gives the label away although it is no copy, a fair one, words)
    "binary": (np.where(WORD == "yes", 5, -5) + RANDOM.normal(size=ROWS), SIGNAL, "AUC 0.99"),
    "multiclass": (
        pd.Series(CLASS).map({"red": -9, "green": 0, "blue": 9}) + RANDOM.normal(size=ROWS),
        SIGNAL + NOISE,
        "accuracy 0.99",
    ),
    "regression": (AMOUNT + 0.02 * NOISE, SIGNAL + NOISE, "R² 0.99"),
}


@pytest.mark.parametrize("task", LEAKS)
def test_what_alone_predicts_the_label_is_a_leak_and_what_helps_is_none(task, looked):
    leak, fair, words = LEAKS[task]
    table, label = looked(LABELS[task], leak=leak, fair=fair)
    reasons, scores = init_suspects.leaks([table.columns["leak"], table.columns["fair"]], label)
    assert list(reasons) == ["leak"]
    assert reasons["leak"].startswith("gives the label away: alone it reaches ")
    assert words in reasons["leak"]
    assert 0.05 < scores["fair"].error < 1


@pytest.mark.parametrize("values", [["a"] * 58 + ["b", "c"], ["k0"] * 41 + [f"k{i}" for i in range(1, 20)]])
def test_classes_too_small_to_measure_on_accuse_no_column(values, looked):
    table, label = looked(values, other=range(len(values)))
    reasons, scores = init_suspects.leaks([table.columns["other"]], label)
    assert (reasons, scores["other"].error) == ({}, 1.0)


def test_two_leaks_do_not_hide_each_other(looked):
    leak = LEAKS["binary"][0]
    table, label = looked(WORD, leak=leak, again=leak + 0.01 * NOISE, fair=SIGNAL)
    assert set(init_suspects.leaks([table.columns[n] for n in table.columns if n != "label"], label)[0]) == {
        "leak",
        "again",
    }


def test_a_column_near_perfect_is_a_leak_only_where_the_others_are_much_worse(looked):
    truth = np.where(WORD == "yes", 1, -1)
    near = np.where(RANDOM.random(ROWS) < 0.03, -truth, truth)
    strong = [np.where(RANDOM.random(ROWS) < 0.08, -truth, truth) for _ in range(9)]
    table, label = looked(WORD, near=near, weak=SIGNAL)
    reasons, _ = init_suspects.leaks([table.columns["near"], table.columns["weak"]], label)
    assert "all others together AUC 0." in reasons["near"]
    table, label = looked(WORD, near=near, **{f"strong_{i}": column for i, column in enumerate(strong)})
    assert init_suspects.leaks([table.columns[n] for n in table.columns if n != "label"], label)[0] == {}


TASKS = {
    "0 and 1": ([0, 1, 1] * 40, "binary", (), "two values: 1 (66.7 %), 0 (33.3 %)"),
    "1 and 2": ([1, 2, 1] * 40, "binary", (1, 2), "two values: 1 (66.7 %), 2 (33.3 %)"),
    "0.0 and 1.0": ([0.0, 1.0, 1.0] * 40, "binary", (), "two values: 1 (66.7 %), 0 (33.3 %)"),
    "a word for no": (["yes", "no", "yes"] * 40, "binary", ("no", "yes"), "two values: yes (66.7 %), no (33.3 %)"),
    "the rarer is positive": (["b", "a", "b"] * 40, "binary", ("b", "a"), "two values: b (66.7 %), a (33.3 %)"),
    "three words": (["b", "a", "c"] * 40, "multiclass", ("a", "b", "c"), "text with 3 different values: "),
    "few whole numbers": ([3, 4, 5, 6] * 40, "multiclass", (3, 4, 5, 6), "4 whole numbers: 3 (25 %), "),
    "many whole numbers": (list(range(120)), "regression", (), "whole numbers, 120 different ones from 0 to 119"),
    "few whole numbers, each rare": (list(range(12)) * 2, "regression", (), "whole numbers, 12 different ones"),
    "fractions": ([0.5, 1.5, 2.5] * 40, "regression", (), "numbers, 3 different ones from 0.5 to 2.5"),
}


@pytest.mark.parametrize("name", TASKS)
def test_the_task_comes_from_the_values_with_its_reason(name, looked):
    values, task, classes, reason = TASKS[name]
    _, label = looked(values, other=range(len(values)))
    assert (label.task, label.classes) == (task, classes)
    assert label.reason.startswith(reason)
    if label.classes:
        assert [str(label.classes[number]) for number in label.target] == [
            f"{v:g}" if v != str(v) else v for v in values
        ]


def test_a_class_that_is_a_fraction_has_the_digits_of_a_float32(looked):
    assert looked([0.123456789, 0.9] * 60, other=range(120))[1].classes == ("0.12345679", "0.9")


DATES = {
    "days": ("x", ["2020-01-31", "2021-02-01"], ("iso", ["weekday", "month"])),
    "points in time": ("x", ["2020-01-31T10:00:00Z", "2021-02-01T11:30:00Z"], ("iso", ["hour", "weekday", "month"])),
    "day first": ("x", ["31.01.2020", "1.2.2021"], ("%d.%m.%Y", ["weekday", "month"])),
    "month first": ("x", ["01/31/2020", "2/1/2021"], ("%m/%d/%Y", ["weekday", "month"])),
    "day first, with slashes": ("x", ["31/01/2020", "1/2/2021"], ("%d/%m/%Y", ["weekday", "month"])),
    "with a clock": ("x", ["31/01/2020 10:00", "1/2/2021 9:30"], ("%d/%m/%Y %H:%M", ["hour", "weekday", "month"])),
    "seconds": ("created_at", [1_500_000_000, 1_600_000_000], ("unix", ["hour", "weekday", "month"])),
    "milliseconds": ("ts", [1_500_000_000_000, 1_600_000_000_000], ("unix_ms", ["hour", "weekday", "month"])),
    "numbers of another name": ("price", [1_500_000_000, 1_600_000_000], None),
    "numbers of another size": ("created_at", [15, 16], None),
    "a word among dates": ("x", ["2020-01-31", "never"], None),
}


@pytest.mark.parametrize("name", DATES)
def test_dates_are_known_by_their_form_and_times_by_name_and_size(name, looked):
    column, values, expected = DATES[name]
    table, _ = looked([0, 1] * 60, **{column: values * 60})
    found = init_dates.transform(table.columns[column])
    assert (found and (found["date"]["format"], found["date"]["parts"])) == expected


REFUSED = {
    "missing": (["a", "b", None] * 40, "--label label: 40 of 120 rows have none, got empty cells or no numbers"),
    "one class": (["a"] * 120, "--label label: one class only, got 'a' in every row"),
    "no number": ([1.5, 2.5, np.inf] * 40, "--label label: 40 of 120 rows have none"),
    "1,000 classes": (
        [f"k{i % 1000}" for i in range(3000)],
        "text with 1,000 different values in 3,000 rows, got k0, ",
    ),
    "few rows": (["a", "b"] * 9, "--label label: too few rows to learn from, got 18; give 20 or more"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_label_that_cannot_be_learned_is_one_line(name, looked):
    values, line = REFUSED[name]
    with pytest.raises(DataError) as caught:
        looked(values, other=range(len(values)))
    (told,) = caught.value.lines
    assert line in told


def test_the_sample_is_drawn_from_all_rows_and_what_is_counted_is_counted_in_all(looked, monkeypatch):
    monkeypatch.setattr(init_table, "SAMPLE_ROWS", 100)
    table, label = looked(WORD, number=np.arange(ROWS))
    assert table.rows == ROWS
    assert sum(table.label_counts.values()) == ROWS
    assert len(label.target) == table.columns["number"].distinct == 100
    assert table.columns["number"].values.max() > ROWS / 2
