"""Pixels to PNG, WebP and JPEG bytes and back, each saying inside what it is: invented, by which world and version.

The bytes depend on the pixels, the address and :data:`REVISION` only: no clock, no host name, no thread count. Bump
``REVISION`` whenever the bytes for the same pixels change; it is part of every ETag and store key.
"""

import io
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

REVISION = 1

TYPES = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg"}

# IPTC's term for pictures made by a trained network; search engines and archives look for exactly this address.
_SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


class Provenance(NamedTuple):
    """What a picture says about itself.

    ``source`` names it so that anyone can make it again: ``earth/0@0123456789ab/15/3/4``.
    """

    source: str
    generated: bool

    @property
    def description(self) -> str:
        if self.generated:
            return f"Synthetic imagery of a place that does not exist, made by Elsewhere: {self.source}"
        return f"Base imagery of a world of Elsewhere, resampled, not generated: {self.source}"


def provenance(address, generated: bool) -> Provenance:
    """The provenance of one tile (``address`` is a :class:`model.generator.Address`)."""
    source = f"{address.world}/{address.seed}@{address.version}/{address.z}/{address.x}/{address.y}"
    return Provenance(source, generated)


def encode(pixels: np.ndarray, ext: str, about: Provenance, fast: bool = False) -> bytes:
    """One picture as bytes.

    Parameters
    ----------
    pixels : uint8 (H, W, 3), grey levels 0–255
    ext : ``png`` (lossless), ``webp`` or ``jpg``
    fast : for pictures that live a second (previews): larger, quicker
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    out = io.BytesIO()
    if ext == "png":
        # Level 3 of zlib: imagery gains under 2 % from level 6, at three times the milliseconds.
        image.save(out, "PNG", compress_level=1 if fast else 3, pnginfo=_png_text(about))
    elif ext == "webp":
        image.save(out, "WEBP", quality=85, method=0 if fast else 2, xmp=_xmp(about))
    elif ext == "jpg":
        image.save(out, "JPEG", quality=88, subsampling=0, comment=about.description, xmp=_xmp(about))
    else:
        raise ValueError(f"no such format: {ext!r}")
    return out.getvalue()


def decode(data: bytes) -> np.ndarray:
    """The pixels of an encoded picture, uint8 (H, W, 3). Raises ValueError when the bytes are damaged."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"not a picture any more: {error}") from None


def _png_text(about: Provenance) -> PngImagePlugin.PngInfo:
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Elsewhere")
    text.add_text("Description", about.description)
    text.add_text("Source", about.source)
    text.add_itxt("XML:com.adobe.xmp", _xmp(about).decode())
    return text


def _xmp(about: Provenance) -> bytes:
    """The same in XMP, which all three formats carry."""
    kind = f"<Iptc4xmpExt:DigitalSourceType>{_SYNTHETIC}</Iptc4xmpExt:DigitalSourceType>" if about.generated else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f"<dc:source>{escape(about.source)}</dc:source>{kind}"
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(about.description)}</rdf:li></rdf:Alt>'
        "</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
