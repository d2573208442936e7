"""Errors as people and programs see them: one JSON shape, and the one place that maps causes to HTTP statuses."""

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from model.errors import ElsewhereError

log = logging.getLogger(__name__)

STATUS = {
    "bad_seed": 400,
    "bad_format": 400,
    "bad_tile": 400,
    "bad_box": 400,
    "bad_request": 400,
    "bad_kind": 400,
    "bad_world_name": 400,
    "bad_picture": 415,
    "unauthorized": 401,
    "forbidden": 403,
    "unknown_world": 404,
    "unknown_version": 404,
    "tile_outside": 404,
    "not_found": 404,
    "nothing_found": 404,
    "method_not_allowed": 405,
    "world_exists": 409,
    "too_large": 413,
    "cancelled": 503,  # nobody reads this one: the client has hung up
    "busy": 503,
    "bad_checkpoint": 500,
}


class BadFormat(ElsewhereError):
    code = "bad_format"


class NotFound(ElsewhereError):
    code = "not_found"


def answer(code: str, message: str, status: int | None = None) -> Response:
    """``{"error": {"code", "message"}}`` with its status; never kept by caches, readable from any page."""
    response = jsonify(error={"code": code, "message": message})
    response.status_code = STATUS.get(code, 500) if status is None else status
    response.headers["Cache-Control"] = "no-store"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def install(app: Flask) -> None:
    """Make every error of an application answer in that shape."""

    @app.errorhandler(ElsewhereError)
    def ours(error: ElsewhereError) -> Response:
        response = answer(error.code, str(error), getattr(error, "status", None))
        if hasattr(error, "retry_after"):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    @app.errorhandler(HTTPException)
    def routing(error: HTTPException) -> Response:
        if error.code is not None and error.code < 400:
            return error.get_response()  # a redirect is an HTTPException too
        if error.code == 404:
            response = answer("not_found", f"There is nothing at {request.path}.")
        elif isinstance(error, MethodNotAllowed):
            response = answer("method_not_allowed", f"{request.method} cannot be done at {request.path}.")
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        elif isinstance(error, RequestEntityTooLarge):
            limit = app.config.get("MAX_CONTENT_LENGTH") or 0
            response = answer("too_large", f"That is more than the {limit // 1000**2} MB which this server takes.")
        else:
            code = (error.name or "error").lower().replace(" ", "_")
            response = answer(code, error.description or error.name, error.code or 500)
        return response

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        # The trace is for whoever runs the server; whoever asked learns that it was not their fault.
        log.exception("%s %s failed", request.method, request.path)
        return answer("internal", "Something broke on this server; its log says what. It was not your request.", 500)
