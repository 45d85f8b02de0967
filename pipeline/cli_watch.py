"""The commands that look at runs: `slipway status` and `slipway tensorboard`."""

import click

from pipeline import cli_options


@click.command()
@click.argument("name", required=False)
@click.option("--last", default=10, show_default=True, help="So many runs.")
@cli_options.home
@cli_options.ends_in_words
def status(name: str | None, last: int, home: str | None) -> None:
    """Show the last runs, the last search and training, what serves, and the releases.

    Without NAME, every pipeline with its last run.
    """
    from pipeline import history
    from pipeline.home import home_root

    click.echo("\n".join(history.lines(home_root(home), name, last)))


@click.command()
@click.argument("name")
@click.option("--port", default=6006, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--run", "run_id", metavar="RUN", help="One run only.  [default: all]")
@cli_options.home
@cli_options.ends_in_words
def tensorboard(name: str, port: int, host: str, run_id: str | None, home: str | None) -> int:
    """Start TensorBoard on the trainings and trials of a pipeline.

    Runs that begin later appear too, until Ctrl-C.
    """
    from pipeline import history
    from pipeline import tensorboard as command
    from pipeline.home import home_root

    place = history.require(home_root(home), name, "tensorboard")
    return command.run(place, command.Wish(host, port, run_id))
