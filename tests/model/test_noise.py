"""The noise field: one number a place, whoever asks."""

import hashlib

import numpy as np

from model.noise import field, quantiles


def test_its_bits_are_written_down():
    golden = field(7, 9, 100, -20, 130, 30)
    assert hashlib.sha256(quantiles().tobytes()).hexdigest()[:16] == "22eff448358fb3c3"
    assert hashlib.sha256(golden.tobytes()).hexdigest()[:16] == "fae914abbc09b12f"


def test_it_is_gaussian_and_white_and_differs_by_seed_and_level():
    a = field(0, 15, 4096, 4096, 4608, 4608).astype(np.float64)
    assert abs(a.mean()) < 0.01 and abs(a.std() - 1) < 0.01
    assert abs((a**4).mean() - 3) < 0.06
    for shifted in (np.roll(a, 1, 1), np.roll(a, 1, 2), np.roll(a, 64, 2), np.roll(a, 256, 2), np.roll(a, 1, 0),
                    field(1, 15, 4096, 4096, 4608, 4608), field(0, 13, 4096, 4096, 4608, 4608)):
        assert abs((a * shifted).mean()) < 0.01
