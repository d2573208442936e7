"""For everybody's pages: tiles and documents may be read from any origin, and travel compressed."""

import gzip

from flask import Response, request

# Pictures are compressed already.
_TEXT = ("text/", "application/json", "application/xml", "application/javascript", "image/svg+xml")
_WORTH_IT = 600  # bytes; below, the headers weigh more


def allow_any_origin(response: Response) -> Response:
    """Let scripts of any page read this answer: MapLibre and OpenLayers fetch tiles rather than show <img>."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def compress(response: Response) -> Response:
    """gzip a text answer for clients that take it (an ``after_request`` function).

    The ETag turns weak: the two encodings mean the same and are not the same bytes. Conditional requests compare
    weakly, so a 304 is still found.
    """
    if not response.mimetype.startswith(_TEXT) and not response.mimetype.endswith(("+json", "+xml")):
        return response
    response.vary.add("Accept-Encoding")
    etag, _ = response.get_etag()
    takes_gzip = request.accept_encodings.quality("gzip") > 0
    if response.status_code == 304 and etag and takes_gzip:
        response.set_etag(etag, weak=True)
    if response.status_code != 200 or not takes_gzip or response.content_encoding:
        return response
    if response.is_streamed and not response.direct_passthrough:
        return response
    response.direct_passthrough = False  # files are read whole: our own few scripts
    data = response.get_data()
    if len(data) < _WORTH_IT:
        return response
    response.set_data(gzip.compress(data, 6, mtime=0))
    response.content_encoding = "gzip"
    if etag:
        response.set_etag(etag, weak=True)
    # A range of the compressed bytes would be a range of something else.
    response.headers.pop("Accept-Ranges", None)
    return response
