"""What the fields have in common: a place has its numbers, whichever window looks, and the world is round."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import cover, gullies, land_use, noise, parcels
from model.grid import width

boxes = st.tuples(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 150), st.integers(1, 150))


nested = partial(parcels.field, nested=True)


def use(*place):
    return land_use.field(*place)[None]


# Of gullies all but the last digits, in which a platform's convolutions may differ from size to size.
@pytest.mark.parametrize("field, channels, level, off", [
    (noise.field, 3, 7, 0), (parcels.field, parcels.CHANNELS, 13, 0), (nested, parcels.CHANNELS, 13, 0),
    (nested, parcels.CHANNELS, 15, 0), (cover.field, cover.CHANNELS, 9, 0), (cover.field, cover.CHANNELS, 15, 0),
    (use, 1, 11, 0), (use, 1, 15, 0),
    *((gullies.field, gullies.CHANNELS, level, 1e-4) for level in (5, 7, 9, 15))])
@settings(max_examples=60, deadline=None)
@given(boxes, boxes)
def test_windows_that_overlap_see_the_same(field, channels, level, off, a, b):
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
    x0, y0, x1, y1 = min(ax, bx), min(ay, by), max(ax + aw, bx + bw), max(ay + ah, by + bh)
    part, whole = field(3, level, ax, ay, ax + aw, ay + ah), field(3, level, x0, y0, x1, y1)
    assert part.shape == (channels, ah, aw) and part.dtype == np.float32
    assert np.abs(part - whole[:, ay - y0:ay - y0 + ah, ax - x0:ax - x0 + aw]).max() <= off


@pytest.mark.parametrize("field, levels", [(noise.field, [3, 7, 15]), (parcels.field, [11, 13, 15]),
                                           (nested, [11, 13, 15]), (cover.field, [9, 11, 13, 15]),
                                           (use, [11, 13, 15]),
                                           (gullies.field, [5, 7, 9, 15])])
@settings(max_examples=20, deadline=None)
@given(box=boxes, data=st.data())
def test_they_wrap_at_the_levels_own_width(field, levels, box, data):
    x, y, w, h = box
    level = data.draw(st.sampled_from(levels))
    around = width(level)
    assert np.array_equal(field(1, level, x, y, x + w, y + h), field(1, level, x + around, y, x + around + w, y + h))
