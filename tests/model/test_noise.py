"""The noise field: one number a place, whoever asks."""

import hashlib

import numpy as np
import pytest
import torch

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


@pytest.mark.parametrize("seed, level, box", [(7, 9, (100, -20, 330, 90)), (2**64 - 1, 15, (-70, 2**22, 60, 2**22 + 9)),
                                              (2**63 + 5, 7, (3, 32768 - 40, 70, 32768 + 20))])
def test_on_a_device_it_has_the_same_bits(seed, level, box):
    made = field(seed, level, *box, device=torch.device("cpu"))
    assert np.array_equal(made.numpy(), field(seed, level, *box))
