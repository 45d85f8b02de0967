"""The commands that look at data: `slipway init` and `slipway schema`."""

from pathlib import Path

import click

from pipeline import cli_options

_force = click.option("--force", is_flag=True, help="Write over files that are there.")


@click.command()
@click.argument("data")
@click.option("--label", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--name", help="Of the pipeline and of its model.  [default: from the file]")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="[default: configs/NAME.yaml]")
@click.option("--format", "data_format", metavar="FORMAT", help="One of `slipway list formats`.  [default: by suffix]")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Of the format, delimiter=';' for one.")
@_force
@cli_options.home
@cli_options.ends_in_words
def init(
    data: str,
    label: str,
    name: str | None,
    output: Path | None,
    data_format: str | None,
    options: tuple[str, ...],
    force: bool,
    home: str | None,
) -> None:
    """Look at a table, and write a config that runs.

    DATA is a file, or a glob in quotes. Beside the config, a schema to review. Columns that should not be learned from
    are left out: ids, constants, copies of the label and what gives it away, mostly empty ones; each with its reason.
    """
    from pipeline import init as command
    from pipeline.home import home_root

    wish = command.Wish(data, label, name, output, data_format, options, force)
    for line in command.run(wish, home_root(home)):
        click.echo(line)


@click.group()
def schema() -> None:
    """Write and review the schema that data must fit.

    A run refuses data that do not fit the schema of the config.
    """


@schema.command()
@cli_options.config
@_force
@cli_options.overrides
@cli_options.home
@cli_options.ends_in_words
def infer(config: Path, force: bool, overrides: tuple[str, ...], home: str | None) -> None:
    """Write the schema of the data there are, beside the config."""
    from pipeline import schema_review
    from pipeline.home import home_root

    for line in schema_review.infer(config, overrides, home_root(home), force=force):
        click.echo(line)


@schema.command()
@cli_options.config
@cli_options.overrides
@cli_options.home
@cli_options.ends_in_words
def diff(config: Path, overrides: tuple[str, ...], home: str | None) -> int:
    """Say in words where the data differ from the schema.

    Exit code 0: they fit. 3: they differ, and a run would refuse them.
    """
    from pipeline import config_file, schema_review
    from pipeline.home import home_root

    file = config_file.read(config, overrides, home_root(home))
    lines, exit_code = schema_review.diff(file, home_root(home))
    for line in lines:
        click.echo(line)
    return exit_code


@schema.command()
@cli_options.config
@click.argument("columns", nargs=-1, metavar="[COLUMN]...")
@cli_options.overrides
@cli_options.home
@cli_options.ends_in_words
def accept(config: Path, columns: tuple[str, ...], overrides: tuple[str, ...], home: str | None) -> None:
    """Write into the schema what is different in the data.

    Of the COLUMNs named, else of all. The rest of the schema stays as it is.
    """
    from pipeline import config_file, schema_review
    from pipeline.home import home_root

    file = config_file.read(config, overrides, home_root(home))
    for line in schema_review.accept(file, home_root(home), columns):
        click.echo(line)
