"""What Ray Serve runs as a replica of an endpoint: the application of learning/serving, with a model from the store.

No Django here, and no keys of the store.
"""

from contextlib import ExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from learning.contract import JobFolder
from learning.nodes import desk, links, parcels
from learning.serving.application import Application
from learning.serving.serve import Options, opened


class Replica:
    """One replica. Its configuration says by which link (`input`) the folder with the model is read."""

    def __init__(self) -> None:
        self._application: Application | None = None
        self._held = ExitStack()

    def reconfigure(self, configuration: dict[str, str]) -> None:
        """Load the model, the first time; later the links alone are new, for replicas that start then.

        Raises BadInput for a model that cannot be run, NotSent.
        """
        if self._application is not None:
            return
        root = self._held.enter_context(desk.place())
        with links.opened(configuration["input"]) as stream:
            parcels.unpack(stream, root)
        folder = JobFolder(root)
        self._application, batcher = opened(folder, Options.read(folder))
        self._held.callback(batcher.close)

    async def __call__(self, request: Request) -> Response:
        """Answer as a replica on the learner's machine does."""
        assert self._application is not None  # Serve sends nothing before the configuration
        said: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        route = request.scope.get("root_path", "")
        scope = {**request.scope, "path": request.scope["path"].removeprefix(route)}
        await self._application(scope, request.receive, send)
        if not said:
            return Response(status_code=400)  # the caller hung up
        start, body = said
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Response(body["body"], status_code=start["status"], headers=headers)

    def __del__(self) -> None:
        self._held.close()
