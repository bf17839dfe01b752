"""OpenSearch as far as the chatbot asks it: an exact k-NN index over documents that were put."""

from __future__ import annotations

import math
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class OpenSearch:
    """One cluster in memory; `app` is its HTTP side."""

    def __init__(self) -> None:
        self.mappings: dict[str, Any] = {}
        self.documents: dict[str, dict[str, dict[str, Any]]] = {}
        self.app = Starlette(
            routes=[
                Route("/{index}", self._exists, methods=["HEAD"]),
                Route("/{index}", self._create, methods=["PUT"]),
                Route("/{index}/_doc/{id:path}", self._put, methods=["PUT", "POST"]),
                Route("/{index}/_search", self._search, methods=["GET", "POST"]),
            ]
        )

    async def _exists(self, request: Request) -> Response:
        return Response(status_code=200 if request.path_params["index"] in self.mappings else 404)

    async def _create(self, request: Request) -> Response:
        self.mappings[request.path_params["index"]] = await request.json()
        return JSONResponse({"acknowledged": True})

    async def _put(self, request: Request) -> Response:
        index, name = request.path_params["index"], request.path_params["id"]
        self.documents.setdefault(index, {})[name] = await request.json()
        return JSONResponse({"result": "created"}, status_code=201)

    async def _search(self, request: Request) -> Response:
        asked = await request.json()
        known = self.documents.get(request.path_params["index"])
        if known is None:
            error = {"type": "index_not_found_exception", "reason": "no such index"}
            return JSONResponse({"error": error, "status": 404}, status_code=404)
        vector = asked["query"]["knn"]["vector"]["vector"]
        hits: list[dict[str, Any]] = [
            {
                "_score": (1 + _cosine(vector, document["vector"])) / 2,
                "_source": {field: document[field] for field in asked["_source"]},
            }
            for document in known.values()
        ]
        hits.sort(key=lambda hit: -hit["_score"])
        return JSONResponse({"hits": {"hits": hits[: asked["size"]]}})


def _cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other))
