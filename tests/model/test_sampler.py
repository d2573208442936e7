"""How a network is asked: by level, within bounds, and not for what it cannot do."""

from dataclasses import replace

import pytest

from model.__main__ import export
from model.network import NetworkConfig
from model.sampler import DIALS, SamplerConfig
from model.underlay import Dials


def test_a_level_may_be_told_another_degradation():
    sampler = SamplerConfig(degradation=0.04, degradations={"9": 0.1})
    assert [sampler.told(level) for level in (7, 9, 11)] == [0.04, 0.1, 0.04]


def test_what_is_asked_besides_is_a_level_s_own():
    sampler = SamplerConfig(projections={"11": 0.2}, sharpenings={"9": 0.1}, calmings={"13": 0.5},
                            shades={"7": 0.06}, paints={"15": 0.05}, gentle={"9": 0.6}, slopes={"13": 0.04},
                            towns={"11": 0.5}, gains={"15": 0.1}, hushes={"11": 0.3}, snows={"13": 0.4},
                            dunes={"9": 0.04}, crowns={"15": 0.2}, rocks={"11": 0.1}, faces={"9": 0.3},
                            crags={"9": 0.4}, stills={"13": 0.6}, ridges={"15": 0.7}, rivers={"11": 0.8},
                            courses={"9": 0.7}, shores={"15": 1.0}, houses={"13": 0.9}, paved={"11": 0.4},
                            farmland={"13": 0.6}, woods={"11": 0.3}, lanes={"15": 0.2})
    assert [sampler.gentleness(level) for level in (7, 9, 11)] == [0.0, 0.6, 0.0]
    assert [sampler.dials(level) for level in (5, 7, 9, 11, 13, 15)] == [
        Dials(), Dials(shade=0.06), Dials(sharpening=0.1, dunes=0.04, faces=0.3, crags=0.4, courses=0.7),
        Dials(projection=0.2, town=0.5, hush=0.3, rocks=0.1, rivers=0.8, paved=0.4, woods=0.3),
        Dials(calming=0.5, slope=0.04, snow=0.4, still=0.6, houses=0.9, farmland=0.6),
        Dials(paint=0.05, gain=0.1, crowns=0.2, ridges=0.7, shores=1.0, lanes=0.2)]


@pytest.mark.parametrize("told", [{"degradation": -0.1}, {"degradations": {"9": 1.5}},
                                  *({key: {"9": value}} for key in DIALS for value in (-0.1, 1.1))],
                         ids=lambda told: "-".join(map(str, *told.items())))
def test_what_is_told_and_every_dial_lies_between_none_and_all(told):
    with pytest.raises(ValueError, match="must lie in 0…1"):
        SamplerConfig(**told)


@pytest.mark.parametrize("told", [{"degradations": {"8": 0.5}}, {"projections": {"17": 0.5}}])
def test_there_is_none_at_a_level_that_is_not_made(told):
    with pytest.raises(ValueError, match="at the odd levels to 15"):
        SamplerConfig(**told)


def test_every_dial_is_turned_by_an_option_and_is_one_of_what_is_done():
    options = {name for param in export.params for name in param.opts}
    assert {f"--{of.name}" for of in DIALS.values()} <= options
    assert {of.name for of in DIALS.values()} - {"gentle"} == set(Dials._fields)  # that one, of what is shown
    assert all(of.what and of.help for of in DIALS.values())


@pytest.mark.parametrize("key, lacking", [("hushes", "plains"), ("shades", "gullies, plains"), ("crowns", "shown"),
                                          ("paints", "parcels, cover"), ("ridges", "plains")])
def test_who_is_not_shown_what_a_dial_needs_is_not_asked(key, lacking):
    sampler = SamplerConfig((999,), **{key: {"9": 0.1}})
    with pytest.raises(ValueError, match=f"asked for {key}, which need what it is not shown: {lacking}"):
        sampler.check(NetworkConfig())


def test_who_is_blind_to_x_t_is_asked_once(plains_config):
    blind = replace(plains_config, white=False, predicts="x0")
    SamplerConfig((999,)).check(blind)
    SamplerConfig((999, 499)).check(plains_config)
    with pytest.raises(ValueError, match="more than once, at \\(999, 499\\)"):
        SamplerConfig((999, 499)).check(blind)
