"""ModelService: what is loaded, and a new config while running. Source: model_servers/model_service_impl.cc."""

import asyncio
from typing import Any

from serving.catalog import Catalog
from serving.errors import invalid
from serving.grpc_predict import which
from serving.grpc_status import answering
from serving.metadata import status_proto
from serving.metrics import Metrics


class ModelService:
    """The servicer."""

    def __init__(self, catalog: Catalog, metrics: Metrics) -> None:
        self.metrics = metrics
        self._catalog = catalog

    @answering("GetModelStatus", counted=False)
    async def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        """State of every version of a model; a label in the request plays no role."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        name, version, _ = which(request.model_spec)
        return status_proto(self._catalog.versions.status(name, version))

    @answering("HandleReloadConfigRequest", counted=False)
    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Put a list of models in the place of the one in force; returns when the new models are available."""
        from tensorflow_serving.apis import model_management_pb2

        if request.config.WhichOneof("config") != "model_config_list":
            what = "ServerModelConfig type not supported by HandleReloadConfigRequest."
            raise invalid(f"{what} Only ModelConfigList is currently supported")
        before = self.metrics.totals()
        await asyncio.get_running_loop().run_in_executor(None, lambda: self._catalog.reload(request.config, wait=True))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        after = self.metrics.totals()
        for name in getattr(request, "metric_names", ()):
            response.metric.add(name=name, int64_value_increase=after.get(name, 0) - before.get(name, 0))
        return response
