"""The noise field: one number a place, whoever asks."""

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.grid import width
from model.noise import field, quantiles

boxes = st.tuples(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 150), st.integers(1, 150))


def test_its_bits_are_written_down():
    golden = field(7, 9, 100, -20, 130, 30)
    assert hashlib.sha256(quantiles().tobytes()).hexdigest()[:16] == "22eff448358fb3c3"
    assert hashlib.sha256(golden.tobytes()).hexdigest()[:16] == "fae914abbc09b12f"


@settings(max_examples=60, deadline=None)
@given(boxes, boxes)
def test_windows_that_overlap_see_the_same_noise(a, b):
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
    x0, y0, x1, y1 = min(ax, bx), min(ay, by), max(ax + aw, bx + bw), max(ay + ah, by + bh)
    whole = field(3, 7, x0, y0, x1, y1)
    part = field(3, 7, ax, ay, ax + aw, ay + ah)
    assert np.array_equal(part, whole[:, ay - y0:ay - y0 + ah, ax - x0:ax - x0 + aw])


@settings(max_examples=20, deadline=None)
@given(boxes, st.sampled_from([3, 7, 15]))
def test_it_wraps_at_the_levels_own_width(box, level):
    x, y, w, h = box
    around = width(level)
    assert np.array_equal(field(1, level, x, y, x + w, y + h), field(1, level, x + around, y, x + around + w, y + h))


def test_it_is_gaussian_and_white_and_differs_by_seed_and_level():
    a = field(0, 15, 4096, 4096, 4608, 4608).astype(np.float64)
    assert abs(a.mean()) < 0.01 and abs(a.std() - 1) < 0.01
    assert abs((a**4).mean() - 3) < 0.06
    for shifted in (np.roll(a, 1, 1), np.roll(a, 1, 2), np.roll(a, 64, 2), np.roll(a, 256, 2), np.roll(a, 1, 0),
                    field(1, 15, 4096, 4096, 4608, 4608), field(0, 13, 4096, 4096, 4608, 4608)):
        assert abs((a * shifted).mean()) < 0.01
