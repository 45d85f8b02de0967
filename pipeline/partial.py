"""`--from`, `--to` and `--no-cache`: which nodes of a pipeline run, and which of them may come from the cache."""

from tfx.proto.orchestration import pipeline_pb2

from pipeline import node
from pipeline.options import RunOptions


def choose(ir: pipeline_pb2.Pipeline, options: RunOptions) -> list[str]:
    """Return the nodes to run, in order, and switch the cache off in the IR where the options say so.

    Raises:
        SetupError: an option names a step that the pipeline does not have.
    """
    anew = set(node.node_ids(ir)) if "all" in options.no_cache else set(options.no_cache)
    if options.begin:
        anew |= _closure(ir, options.begin, downstream=True)
    for name in anew:
        node.find(ir, name).execution_options.caching_options.enable_cache = False
    chosen = _closure(ir, options.to, downstream=False) if options.to else set(node.node_ids(ir))
    return [name for name in node.node_ids(ir) if name in chosen]


def _closure(ir: pipeline_pb2.Pipeline, start: str, *, downstream: bool) -> set[str]:
    """Return a node with all that depend on it, or all that it depends on."""
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        found.add(name)
        this = node.find(ir, name)
        near = this.downstream_nodes if downstream else this.upstream_nodes
        waiting += [other for other in near if other not in found]
    return found
