"""Seeds mean the same for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import BadSeed
from model.seeds import parse_seed


@given(st.integers(0, 10**19 - 1))
def test_a_number_is_itself(n):
    assert parse_seed(str(n)) == parse_seed(n) == n


def test_words_are_digests_that_never_change():
    # BLAKE2b-64, person "elsewhere-seed"; written down once: links depend on them.
    assert parse_seed("pandora") == 10976378636714724949
    assert parse_seed("007") != 7


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_every_allowed_word_is_64_bits(word):
    assert 0 <= parse_seed(word) < 2**64


@pytest.mark.parametrize("text", ["", "a b", "ä", "x" * 65, "1.5", "a/b", None, -1, 2.0, True, "1\n"])
def test_bad_seeds_are_refused_with_the_value(text):
    with pytest.raises(BadSeed, match="1–64"):
        parse_seed(text)
