"""What the server does at this moment: for the page, for supervisors, for Prometheus."""

from flask import Blueprint, Response, jsonify

from server import openness
from server.metrics import CONTENT_TYPE
from server.services import services

blueprint = Blueprint("status", __name__)
blueprint.after_request(openness.allow_any_origin)


@blueprint.after_request
def never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/api/status")
def status() -> Response:
    """What is being made and what waits; times in seconds, sizes in bytes."""
    here = services()
    queue, disk, rendering = here.queue, here.store.disk, here.queue.rendering
    return jsonify(
        rendering=rendering and rendering._asdict(),
        waiting=queue.waiting(),
        tile_seconds=round(queue.tile_seconds, 4),
        eta_seconds=round(queue.eta_seconds(), 2),
        made=queue.made,
        store={"entries": disk.entries(), "bytes": disk.bytes(), "limit": disk.limit},
        uptime_seconds=round(here.metrics.uptime(), 1),
    )


@blueprint.get("/healthz")
def alive() -> Response:
    """200 while the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """200 when tiles can be made and kept, otherwise 503 with what is missing."""
    here = services()
    checks = {
        "weights": here.queue.warm,
        "render_thread": here.queue.alive(),
        "store": here.store.disk.writable(),
    }
    body = {"status": "ready" if all(checks.values()) else "not ready", **checks}
    if here.store.disk.fault:
        body["message"] = here.store.disk.fault
    response = jsonify(body)
    response.status_code = 200 if all(checks.values()) else 503
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text format."""
    return Response(services().metrics.exposition(), content_type=CONTENT_TYPE)
