"""The tables that ship in packages: as many rows as their datasheets say, in real units, written once."""

import os
from collections import Counter

import pandas as pd
import pytest

from data.loaders import csv
from data.sources import _csv_file, _installed
from pipeline import names


def table(name, folder):
    """The rows of a source, and the Source."""
    source = names.load("data.sources", name).SOURCE
    return pd.read_csv(source.locate(folder)), source


@pytest.mark.parametrize(
    ("name", "label", "counts"),
    [
        ("breast_cancer", "diagnosis", {"benign": 357, "malignant": 212}),
        ("penguins", "species", {"Adelie": 146, "Gentoo": 120, "Chinstrap": 68}),
        ("wine", "cultivar", {"class_1": 71, "class_0": 59, "class_2": 48}),
        ("taxi", "big_tipper", {0: 11_628, 1: 3_374}),
    ],
)
def test_a_table_has_the_rows_and_classes_that_its_datasheet_tells(tmp_path, name, label, counts):
    frame, source = table(name, tmp_path)
    assert len(frame) == source.rows
    assert Counter(frame[label]) == counts


def test_a_regression_has_the_rows_and_the_range_that_its_datasheet_tells(tmp_path):
    frame, source = table("diabetes", tmp_path)
    assert len(frame) == source.rows
    assert (frame.progression.min(), frame.progression.max()) == (25, 346)
    assert set(frame.sex) == {1, 2}  # as measured, not as scikit-learn scales it


def test_penguins_are_as_heavy_as_their_species(tmp_path):
    frame, _ = table("penguins", tmp_path)
    means = frame.groupby("species").mean().round(1)
    assert means.body_mass_g.idxmax() == means.flipper_length_mm.idxmax() == "Gentoo"
    assert means.culmen_length_mm.idxmin() == "Adelie"
    # Palmer's penguins were weighed in steps of 25 g.
    assert set(frame.body_mass_g % 25) == {0}
    assert not frame.isna().any(axis=None)


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "penguins", "wine"])
def test_columns_have_names_that_can_be_served_and_numbers_are_decimals(tmp_path, name):
    path = names.load("data.sources", name).SOURCE.locate(tmp_path)
    types = csv.column_types([path])
    assert all(column.isidentifier() and column.isascii() for column in types)
    # Else a request with 181.5 mm would be refused; a sex is no amount.
    *features, _ = types
    assert [column for column in features if str(types[column]) != "double"] == ["sex"] * (name == "diabetes")


def test_a_file_is_written_once_and_whole(tmp_path):
    def broken():
        yield [1.0]
        raise OSError("disk full")

    path = tmp_path / "rows.csv"
    with pytest.raises(OSError, match="disk full"):
        _csv_file.written_once(path, lambda: (["x"], broken()))
    assert not path.exists()
    assert _csv_file.written_once(path, lambda: (["x"], [[2.0]])) == str(path)
    assert path.read_text() == "x\n2.0\n"
    os.utime(path, (1, 1))
    _csv_file.written_once(path, lambda: (["x"], [[3.0]]))
    assert path.stat().st_mtime == 1
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]


def test_a_package_that_is_not_installed_is_one_line(tmp_path):
    def missing():
        raise ModuleNotFoundError("No module named 'sklearn'")

    with pytest.raises(OSError, match=r"wine: the data come with a package, got No module named 'sklearn'; run `make"):
        _csv_file.written_once(tmp_path / "wine.csv", missing)


def test_data_inside_a_package_that_is_not_installed_are_one_line():
    with pytest.raises(OSError, match=r"^the data come with an installed package, got no 'slipway_data'; run `make"):
        _installed.folder("slipway_data")
