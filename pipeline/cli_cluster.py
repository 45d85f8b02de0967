"""The commands of clusters: `slipway compile`, `slipway submit`, and `slipway node`, which orchestrators call."""

from pathlib import Path
from typing import Any

import click

from pipeline import cli_options

_RUNNERS = "kubeflow, vertex, airflow, or one of your own; see `slipway list runners`."


@click.command(name="compile")
@cli_options.config
@click.option("--runner", required=True, help=_RUNNERS)
@click.option("-o", "--output", required=True, metavar="FILE", type=click.Path(path_type=Path), help="What to write.")
@cli_options.overrides
@cli_options.span
@cli_options.home
@cli_options.ends_in_words
def compile_(
    config: Path, runner: str, output: Path, overrides: tuple[str, ...], span: str | None, home: str | None
) -> None:
    """Write a pipeline for an orchestrator, without running it.

    Every step becomes a task: on Kubeflow and Airflow one that runs `slipway node`, on Vertex AI one of TFX's own.
    """
    from pipeline import config_file, runners
    from pipeline.home import Home, home_root
    from pipeline.screen import logged_to

    write = runners.function(runner, "compile")
    file = config_file.read(config, overrides, home_root(home), span)
    with logged_to(home_root(home) / "compile.log") as screen, screen.working_on("loading TFX"):
        lines = write(file, Home(home_root(home), file.config.name), output)
    click.echo("\n".join(lines))


@click.command()
@cli_options.config
@click.option("--name", help="Of the run, or of the schedule.  [default: the pipeline's, with the time]")
@click.option("--wait", is_flag=True, help="Follow the run to its end, and end as it does.")
@click.option(
    "--cron", metavar="EXPR", help="Not now, but at these times: five fields, or six, seconds first: '0 3 * * *'."
)
@cli_options.overrides
@cli_options.span
@cli_options.home
@cli_options.ends_in_words
def submit(
    config: Path,
    name: str | None,
    wait: bool,
    cron: str | None,
    overrides: tuple[str, ...],
    span: str | None,
    home: str | None,
) -> int:
    """Upload a pipeline to Kubeflow Pipelines, and start it.

    Environment: KF_PIPELINES_ENDPOINT is the server's URL, KF_PIPELINES_TOKEN a bearer token where it wants one, and
    KF_PIPELINES_NAMESPACE the namespace where there are several. KF_PIPELINES_UI_ENDPOINT is the URL for people, where
    it is another one.
    """
    from pipeline import config_file, submitting
    from pipeline.home import Home, home_root

    wish = submitting.Wish(name, cron, wait)
    server = submitting.server_of_environment()
    file = config_file.read(config, overrides, home_root(home), span)
    return submitting.submit(file, Home(home_root(home), file.config.name), server, wish, click.echo)


@click.command()
@click.option("--config", required=True, type=click.Path(path_type=Path))
@click.option("--node", "node_id", metavar="STEP", help="The step to run.")
@click.option("--run-id", required=True, help="The same for every step of one run.")
@click.option("--finish", metavar="STEPS", help="No step: write what became of these, A,B,…, for `slipway status`.")
@click.option("--no-cache", is_flag=True, help="Run it anew, whatever the cache holds.")
@cli_options.overrides
@click.option("--sets", metavar="JSON", default="[]", help="A list of more overrides.")
@click.option("--config-text", metavar="YAML", help="The config itself; --config then is only where it stands.")
@click.option("--schema-text", metavar="TEXT", help="Likewise the curated schema; empty if there is none.")
@cli_options.span
@cli_options.home
@cli_options.ends_in_words
def node(
    config: Path,
    node_id: str | None,
    run_id: str,
    finish: str | None,
    no_cache: bool,
    home: str | None,
    **sent: Any,
) -> int:
    """Run one step of a pipeline in a process of its own, as orchestrators do."""
    from pipeline import one_node
    from pipeline.errors import SetupError
    from pipeline.home import Home, home_root

    file = one_node.read(config, home_root(home), one_node.Sent(**sent))
    place = Home(home_root(home), file.config.name)
    if finish:
        return one_node.finish(file, place, run_id, finish.split(","))
    if node_id is None:
        raise SetupError("slipway node: no step, got no --node; name one, or --finish")
    return one_node.run(file, place, node_id, run_id, no_cache=no_cache)
