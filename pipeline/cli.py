"""The command `slipway`. Commands import what they need when they run: `--help` must not wait for TensorFlow."""

import shlex
from pathlib import Path
from typing import Any

import click

from pipeline import cli_cluster, cli_data, cli_watch
from pipeline.cli_options import config as _config
from pipeline.cli_options import ends_in_words as _ends_in_words
from pipeline.cli_options import home as _home
from pipeline.cli_options import overrides as _overrides
from pipeline.cli_options import span as _span
from pipeline.errors import SetupError

EXIT_CODES = """\b
Exit codes: 0 done and pushed, 1 a step failed, 2 the config or the machine is wrong,
3 the data was refused, 4 the model was not blessed."""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="slipway", message="slipway %(version)s")
def slipway() -> None:
    """From raw data to a served model: one YAML file, one command."""


@slipway.command()
@_config
@_overrides
@_span
@_home
@click.option("--runner", default="local", show_default=True, help="One that runs; see `slipway list runners`.")
@click.option("--from", "begin", metavar="STEP", help="Run this step and all after it anew.")
@click.option("--to", metavar="STEP", help="Stop after this step.")
@click.option("--no-cache", multiple=True, metavar="STEP", help="Run this step anew; `all` for every step; repeatable.")
@_ends_in_words
def run(
    config: Path, overrides: tuple[str, ...], span: str | None, home: str | None, runner: str, **options: Any
) -> int:
    """Run a pipeline: check, transform, tune, train, evaluate, push.

    Steps whose inputs have not changed come from the cache. A killed run goes on from its last finished step.
    """
    from pipeline import config_file, runners
    from pipeline.home import Home, home_root
    from pipeline.options import RunOptions

    file = config_file.read(config, overrides, home_root(home), span)
    start = runners.function(runner, "run")
    return start(file, Home(home_root(home), file.config.name), RunOptions(**options))


@slipway.command()
@_config
@_overrides
@_span
@_home
@_ends_in_words
def check(config: Path, overrides: tuple[str, ...], span: str | None, home: str | None) -> None:
    """Check a config, its model's hooks and its data, without running anything."""
    from pipeline import config_file, hooks, searched
    from pipeline.errors import ConfigError
    from pipeline.home import Home, home_root
    from pipeline.screen import logged_to

    file = config_file.read(config, overrides, home_root(home), span)
    with logged_to(home_root(home) / "check.log") as screen, screen.working_on("importing the model"):
        from pipeline import beam_args, beam_needs

        found = hooks.mistakes(file.config) + beam_args.mistakes(file.config.beam)
        artifacts = Home(home_root(home), file.config.name).artifacts
        found += beam_needs.missing(file, file.config.pipeline_root or str(artifacts))
    if found:
        raise ConfigError(*(f"{config}: {line}" for line in found))
    for line in searched.lines(file.config, hooks.completed(file.config)):
        click.echo(line)
    click.echo(f"{config}: all is well; `slipway run {shlex.quote(str(config))}` runs it")


@slipway.command(name="list")
@click.argument("kind", required=False, metavar="[sources|formats|models|components|runners|configs]")
@_ends_in_words
def list_(kind: str | None) -> None:
    """List what a config or a command may name."""
    from pipeline import listing

    click.echo("\n".join(listing.lines(kind)))


@slipway.command()
@click.argument("name")
@click.argument("rows", required=False, type=click.Path(path_type=Path))
@click.option("--rows", "rows_option", metavar="FILE", type=click.Path(path_type=Path), help="The same as ROWS.")
@click.option("--version", "version", type=int, help="A pushed version.  [default: the one that serves]")
@click.option("--label", help="A version by its label: stable or canary.")
@click.option("--url", help="Ask a running server over REST, such as http://127.0.0.1:8501.")
@click.option("--grpc", metavar="HOST:PORT", help="Ask a running server over gRPC, such as 127.0.0.1:8500.")
@click.option("--engine", metavar="tflite[:VARIANT]", help="Ask a file for phones, float32 unless named.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the answers to this file.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="With -o: a column to write too.  [default: all]")
@click.option("--format", "kind", help="With -o, of ROWS: one of `slipway list formats`.  [default: by suffix]")
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="With -o, of the format, as delimiter=';'."
)
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="With -o: as data.rename in the config.")
@_home
@_ends_in_words
def predict(
    name: str, rows: Path | None, rows_option: Path | None, output: Path | None, home: str | None, **options: Any
) -> None:
    """Ask a model about raw feature values.

    It is asked in this process, or where --url, --grpc or --engine say.

    ROWS is a file of JSON lines, one row each; a feature that is left out counts as missing. Without it, the model is
    asked about the sample rows that it was exported with.

    With -o, ROWS is a file of any format with all features as columns, and so is FILE: .parquet, .csv or .jsonl. It
    gets the columns of the rows and of the answers, and is there when all are; one of that name is replaced then.
    """
    from pipeline import prediction
    from pipeline.home import Home, home_root

    if rows and rows_option:
        raise SetupError(f"slipway predict: one file of rows, got {rows} and --rows {rows_option}; drop one")
    path, place = rows or rows_option, Home(home_root(home), name)
    table = {key: options.pop(key) for key in ("keep", "kind", "options", "rename")}
    whom = prediction.Whom(**options)
    if output is None:
        if given := [_flag(key) for key, value in table.items() if value]:
            raise SetupError(f"slipway predict: belongs to -o, got {given[0]} alone; add -o FILE")
        lines = prediction.lines(place, path, whom)
    else:
        from pipeline import scoring, scoring_input

        if path is None:
            raise SetupError("slipway predict: no rows for -o, got no ROWS; name a file of them")
        lines = iter(scoring.run(place, scoring_input.Wish(path, **table), output, whom))
    for line in lines:
        click.echo(line)


def _flag(name: str) -> str:
    """Return the option that sets a parameter of the command at work."""
    return next(one.opts[-1] for one in click.get_current_context().command.params if one.name == name)


@slipway.command()
@click.argument("name")
@click.option("--engine", default="auto", show_default=True, help="tensorflow_model_server, docker, podman, embedded.")
@click.option("--port", type=click.IntRange(0, 65535), help="For REST; 0 takes a free one.  [default: 8501]")
@click.option("--grpc-port", type=click.IntRange(0, 65535), help="For gRPC; 0 takes a free one.  [default: 8500]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--try", "try_it", is_flag=True, help="Ask a sample row, print the answer, and stop.")
@click.option(
    "--write-files", metavar="DIR", type=click.Path(path_type=Path), help="Write container and cluster files."
)
@_home
@_ends_in_words
def serve(name: str, home: str | None, write_files: Path | None, **options: Any) -> int:
    """Serve a pushed model over REST and gRPC.

    It answers as TensorFlow Serving does, until Ctrl-C. The engine is TensorFlow Serving itself where it is installed
    or its image can be had, else the embedded server. `--write-files` starts nothing.
    """
    from pipeline import serve as serving_command
    from pipeline.home import Home, home_root

    place = Home(home_root(home), name)
    if write_files is None:
        return serving_command.run(place, serving_command.ServeOptions(**options))
    for line in serving_command.write_files(place, write_files):
        click.echo(line)
    return 0


_url = click.option("--url", help="The running server that is to follow.  [default: that of `slipway serve`]")


@slipway.command()
@click.argument("name")
@click.argument("version")
@click.option("--label", default="stable", show_default=True, help="stable or canary.")
@_url
@_home
@_ends_in_words
def promote(name: str, version: str, label: str, url: str | None, home: str | None) -> None:
    """Point a label at a version of a model.

    A running server follows, without a failed request.

    VERSION is a pushed version, or `latest`: then the newest serves again, now and after every push.
    """
    from pipeline import releasing
    from pipeline.home import Home, home_root

    for line in releasing.promote(Home(home_root(home), name), version, label, url):
        click.echo(line)


@slipway.command()
@click.argument("name")
@click.option("--to", metavar="VERSION", type=int, help="Which version.  [default: the one before]")
@_url
@_home
@_ends_in_words
def rollback(name: str, to: int | None, url: str | None, home: str | None) -> None:
    """Go back to the version that was served before.

    A canary ends first; without one, the version that was stable before is so again, and nothing else is served.
    """
    from pipeline import releasing
    from pipeline.home import Home, home_root

    for line in releasing.rollback(Home(home_root(home), name), to, url):
        click.echo(line)


@slipway.command()
@_ends_in_words
def doctor() -> int:
    """Say what this machine and this installation are, and what is wrong."""
    from pipeline import doctor as diagnosis

    return diagnosis.main()


slipway.add_command(cli_data.init)
slipway.add_command(cli_data.schema)
slipway.add_command(cli_cluster.compile_)
slipway.add_command(cli_cluster.submit)
slipway.add_command(cli_cluster.node)
slipway.add_command(cli_watch.status)
slipway.add_command(cli_watch.tensorboard)


def main() -> None:
    """Run the command line."""
    slipway(prog_name="slipway")
