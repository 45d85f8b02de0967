"""`slipway schema`: what is different is said in words, and written where it was accepted, in the schema's order."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from pipeline import config_file, data_files, schema_infer, steps
from pipeline.cli import slipway
from pipeline.home import Home

ROWS = 200
CONFIG = """\
name: shop
data: {path: rows.csv, rename: {unit price: unit_price}}
schema: shop.schema.pbtxt
label: {name: sold, task: binary}
model: {name: tabular}
evaluation: off
"""
Edit = Callable[[pd.DataFrame], pd.DataFrame]


def _rows() -> pd.DataFrame:
    number = pd.Series(range(ROWS))
    return pd.DataFrame({
        "sold": number % 2,
        "color": number.map(lambda i: ("red", "green", "blue")[i % 3]),
        "unit price": number / 4,
        "stock": number % 50,
        "note": number.map(lambda i: f"note {i % 90}" if i % 4 else None),
    })  # fmt: skip


@pytest.fixture
def command(tmp_path):
    """A function that runs `slipway schema`, on a table and the schema that was inferred from it."""
    (tmp_path / "shop.yaml").write_text(CONFIG, encoding="utf-8")

    def run(name, *arguments, rows=None, code=0):
        if rows is not None:
            rows.to_csv(tmp_path / "rows.csv", index=False)
        called = ["schema", name, str(tmp_path / "shop.yaml"), *arguments, "--home", str(tmp_path / "home")]
        result = CliRunner().invoke(slipway, called)
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit | None)
        return result.output.splitlines()

    run("infer", rows=_rows())
    return run


def _schema(tmp_path: Path):
    return data_files.curated_schema(tmp_path / "shop.schema.pbtxt")


def _with_domain(tmp_path: Path) -> None:
    """Curate: the stock is 0 to 60."""
    path = tmp_path / "shop.schema.pbtxt"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('name: "stock"\n', 'name: "stock"\n  int_domain { min: 0 max: 60 }\n'), "utf-8")


def test_a_schema_is_inferred_with_its_columns_in_order_and_fits_its_data(command, tmp_path):
    schema = _schema(tmp_path)
    assert [feature.name for feature in schema.feature] == ["sold", "color", "unit_price", "stock", "note"]
    assert list(schema.string_domain[0].value) == ["blue", "green", "red"]
    assert not schema.feature[4].domain, "notes are free text"
    assert (tmp_path / "shop.schema.pbtxt").read_text(encoding="utf-8").startswith("# What a row of shop must look")
    assert command("diff") == [f"{tmp_path}/shop.schema.pbtxt: {ROWS} rows fit it"]


def test_a_schema_that_is_there_is_written_over_with_force_only(command, tmp_path):
    before = (tmp_path / "shop.schema.pbtxt").read_text(encoding="utf-8")
    (line,) = command("infer", rows=_rows().drop(columns="note"), code=2)
    assert line == (f"slipway schema infer: already there, got {tmp_path}/shop.schema.pbtxt; --force writes over it")
    assert (tmp_path / "shop.schema.pbtxt").read_text(encoding="utf-8") == before
    command("infer", "--force")
    assert len(_schema(tmp_path).feature) == 4


DIFFERENT: dict[str, tuple[Edit, str]] = {
    "a new column of text": (
        lambda rows: rows.assign(size=["S", "L"] * (ROWS // 2)),
        "size: a new column, text, 2 values such as 'L', 'S'",
    ),
    "a new column of numbers": (lambda rows: rows.assign(size=1.5), "size: a new column, numbers from 1.5 to 1.5"),
    "a new, empty column": (lambda rows: rows.assign(size=None), "size: a new column, empty"),
    "a missing column": (lambda rows: rows.drop(columns="color"), "color: the column is gone"),
    "text in a column of numbers": (
        lambda rows: rows.assign(**{"unit price": ["free", *rows["unit price"][1:]]}),
        "unit_price: text now, numbers in the schema, such as 'free'",
    ),
    "fractions in a column of whole numbers": (
        lambda rows: rows.assign(stock=rows.stock + 0.5),
        "stock: numbers now, whole numbers in the schema",
    ),
    "values that are not listed": (
        lambda rows: rows.assign(color=["pink", "teal", "pink", "teal"] * 10 + list(rows.color[40:])),
        "color: values that the schema does not list: 'pink' (~10%), 'teal' (~10%)",
    ),
    "fewer values": (
        lambda rows: rows.assign(stock=rows.stock.where(rows.stock > 5).astype("Int64")),
        "stock: a value in 88 % of the rows, at least 100 % in the schema",
    ),
    "no values": (lambda rows: rows.assign(note=None), "note: empty in every row"),
    "values out of range": (
        lambda rows: rows.assign(stock=rows.stock + 40),
        "stock: values from 40 to 89, 0 to 60 in the schema",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_difference_is_one_sentence_until_it_is_accepted(name, command, tmp_path):
    edit, sentence = DIFFERENT[name]
    _with_domain(tmp_path)
    order = [feature.name for feature in _schema(tmp_path).feature]
    first, *rest = command("diff", rows=edit(_rows()), code=3)
    assert first == sentence
    assert rest == [f"`slipway schema accept {tmp_path}/shop.yaml [COLUMN]...` writes this into shop.schema.pbtxt"]
    command("accept")
    assert [feature.name for feature in _schema(tmp_path).feature][: len(order)] == order
    assert "rows fit it" in command("diff")[0]


def test_only_the_columns_named_are_accepted_and_the_rest_stays_to_the_letter(command, tmp_path):
    rows = _rows().assign(stock=0.5, color="pink", size="L")
    before = {feature.name: feature.SerializeToString() for feature in _schema(tmp_path).feature}
    command("diff", rows=rows, code=3)
    assert command("accept", "size", "size")[-1].endswith("; still different: color, stock")
    changed = {feature.name: feature.SerializeToString() for feature in _schema(tmp_path).feature}
    assert changed.pop("size")
    assert changed == before
    assert (tmp_path / "shop.schema.pbtxt").read_text(encoding="utf-8").startswith("# What a row of shop must look")
    assert not list(tmp_path.glob(".shop*"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("accept", "sise"), "slipway schema accept: no such column that differs, got 'sise'; did you mean 'size'?"),
        (("diff", "--set", "schema=null"), "{config}: schema: is missing, got no value; `slipway schema infer"),
        (("diff", "--set", "data.path=gone.csv"), "{config}:2: data: no file matches, got "),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(arguments, line, command, tmp_path):
    _rows().assign(size="L").to_csv(tmp_path / "rows.csv", index=False)
    name, *rest = arguments
    (told,) = command(name, *rest, code=2)
    assert told.startswith(line.format(config=tmp_path / "shop.yaml"))


def test_rows_that_cannot_be_read_are_refused(command, tmp_path):
    (tmp_path / "rows.csv").write_text("sold,color,unit price,stock,note\n1,red\n", encoding="utf-8")
    (line,) = command("diff", code=3)
    assert "the data are refused: " in line
    assert "Expected 5 columns, got 2" in line


def test_what_the_schema_wants_as_numbers_is_found_by_its_name_in_the_files(command, tmp_path):
    whole = _rows().assign(**{"unit price": 3})
    assert "rows fit it" in command("diff", rows=whole)[0]
    file = config_file.read(tmp_path / "shop.yaml")
    node = steps._example_gen(None, steps.Plan(file, Home(tmp_path, "shop")))
    assert '"unit price"' in node.exec_properties["custom_config"]


@pytest.mark.parametrize(
    ("share", "rows", "bound"),
    [
        (0.99, 10**6, 0.95),
        (0.97, 10**6, 0.95),
        (0.96, 10**6, 0.9),
        (0.5, 10**6, 0.45),
        (0.5, 1000, 0.35),
        (0.01, 10**6, 0.0),
    ],
)
def test_a_share_of_values_has_slack_the_more_the_fewer_rows(share, rows, bound):
    assert schema_infer.lower_bound(share, rows) == pytest.approx(bound)
