"""Bad data and weak models: the exit code, the sentence, and a serving folder that stays as it was."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
Rows = list[str]


def _cells(row: str, column: int, value: str) -> str:
    cells = row.split(",")
    cells[column] = value
    return ",".join(cells)


def _text_in_a_number(rows: Rows) -> str:
    return "\n".join([*rows[:-1], _cells(rows[-1], rows[0].split(",").index("fare"), "free")])


def _without_a_column(rows: Rows) -> str:
    column = rows[0].split(",").index("payment_type")
    return "\n".join(",".join(cell for i, cell in enumerate(row.split(",")) if i != column) for row in rows)


def _unknown_companies(rows: Rows) -> str:
    column = rows[0].split(",").index("company")
    return "\n".join([rows[0], *(_cells(row, column, "Cab From Nowhere") for row in rows[1:3000]), *rows[3000:]])


POISONED: dict[str, tuple[Callable[[Rows], str], str]] = {
    "text in a number": (_text_in_a_number, "'fare'"),
    "a missing column": (_without_a_column, "'payment_type'"),
    "unknown companies": (_unknown_companies, "'company'"),
    "an empty file": (lambda rows: "", "no header line"),
    "cut in mid-row": (lambda rows: "\n".join(rows)[:-40], "Expected 19 columns"),
}


@pytest.mark.parametrize("name", POISONED)
def test_poisoned_data_are_refused_and_nothing_is_pushed(name, pushed, taxi_rows, tmp_path):
    poison, sentence = POISONED[name]
    path = tmp_path / "rows.csv"
    path.write_text(poison(taxi_rows), encoding="utf-8")
    before = pushed.served()
    output = pushed.run("--set", "data.source=null", "--set", f"data.path={path}", code=3)
    assert sentence in output
    assert "refused" in output
    assert pushed.served() == before


def test_a_model_below_its_threshold_is_not_pushed(pushed):
    before = pushed.served()
    output = pushed.run("--set", "evaluation.thresholds=[{metric: auc, min: 0.999}]", code=4)
    assert ">= 0.999 on all rows: FAILS" in output
    assert "not blessed" in output
    assert pushed.served() == before


def test_a_model_whose_doors_disagree_is_not_pushed(pushed, in_copy):
    def fares_one_higher(root: Path) -> None:
        path, line = (
            root / "models/_export.py",
            "columns = _raw.as_columns(tf.io.parse_example(examples, request_spec), names)",
        )
        text = path.read_text(encoding="utf-8")
        parts = text.split(f"        {line}\n")
        assert len(parts) == 2
        path.write_text(f'        {line}\n        columns["fare"] += 1.0\n'.join(parts), encoding="utf-8")

    edited, before = in_copy(fares_one_higher), pushed.served()
    output = edited.run(code=1)
    found = re.search(
        r"Doors: the model is refused: (\w+), output probability, row \d+: .* a difference of 0\.\d+", output
    )
    assert found, output
    assert found[1] == "serving_examples"
    assert edited.states()["Doors"] == "failed"
    assert "Evaluator" not in edited.states(), "it must not become anyone's baseline either"
    assert pushed.served() == before
