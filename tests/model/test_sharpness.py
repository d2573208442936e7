"""Pictures softer than their pixels are sharpened, sharper ones softened, and calm ground stays as it is."""

import numpy as np
import pytest

from model.training.sharpness import crisp, stand_in


def wave(period: float, colour=(1.0, 1.0, 1.0)) -> np.ndarray:
    return (127 + 20 * np.sin(np.arange(128) * 2 * np.pi / period)[None, :, None] * np.array(colour)
            * np.ones((128, 1, 1))).round().astype(np.uint8)


def strength(pixels: np.ndarray) -> float:
    return float(pixels.astype(float)[32:-32, 32:-32].std((0, 1)).max())


@pytest.mark.parametrize("period, least, most", [(2.7, 1.0, 1.1), (6, 1.12, 1.25), (11, 1.12, 1.25), (64, 0.97, 1.05)])
def test_crisp_lends_brightness_what_an_octave_lacks(period, least, most):
    assert least < strength(crisp(wave(period))) / strength(wave(period)) < most


def test_crisp_lends_fine_colour_more():
    colourful = 1.0, 0.0, -1.0
    assert 1.8 < strength(crisp(wave(6, colourful))) / strength(wave(6, colourful)) < 2.1
    assert strength(crisp(wave(64, colourful))) == pytest.approx(strength(wave(64, colourful)), rel=0.05)


def test_what_stands_in_at_z15_loses_the_finest_octave_alone_and_elsewhere_nothing():
    assert strength(stand_in(wave(2.7), "4.8")) < 0.5 * strength(wave(2.7))
    assert strength(stand_in(wave(11), "4.8")) > 0.9 * strength(wave(11))
    assert (stand_in(wave(2.7), "19") == wave(2.7)).all()


def test_plain_ground_stays_as_it_is():
    plain = np.full((64, 64, 3), (140, 120, 90), np.uint8)
    assert (crisp(plain) == plain).all() and (stand_in(plain, "4.8") == plain).all()
