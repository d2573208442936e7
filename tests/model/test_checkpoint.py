"""Checkpoints: written whole, read whole, or refused with the reason."""

import json
import shutil

import pytest
import torch

from model import checkpoint as checkpoints
from model.errors import BadCheckpoint


@pytest.fixture
def folder(tiny_weights, tmp_path):
    return shutil.copytree(tiny_weights, tmp_path / "copy")


def edit(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def test_what_is_loaded_is_what_was_saved(folder, tmp_path):
    first = checkpoints.load(folder)
    again = checkpoints.save(tmp_path / "again", first.network, first.whitening, first.sampler, first.about)
    assert again == first.digest
    for a, b in zip(first.network.parameters(), checkpoints.load(tmp_path / "again").network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_digest_is_of_what_decides_pixels_and_of_nothing_else(folder):
    before = checkpoints.digest(folder)
    edit(folder, lambda c: c["about"].update(note="words"))
    assert checkpoints.digest(folder) == before
    edit(folder, lambda c: c["sampler"].update(halo=48))
    assert checkpoints.digest(folder) != before


def test_a_truncated_file_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadCheckpoint, match="truncated"):
        checkpoints.load(folder)


def test_weights_of_another_network_are_refused(folder):
    edit(folder, lambda c: c["network"].update(width=16))
    with pytest.raises(BadCheckpoint, match="does not fit"):
        checkpoints.load(folder)


def test_an_unknown_format_is_refused(folder):
    edit(folder, lambda c: c.update(format=99))
    with pytest.raises(BadCheckpoint, match="99"):
        checkpoints.load(folder)


@pytest.mark.parametrize("change", [lambda c: c.pop("whitening"), lambda c: c["network"].update(patch=3),
                                    lambda c: c["network"].update(colour=1), lambda c: c["sampler"].update(times=[])])
def test_a_config_that_describes_nothing_is_refused(folder, change):
    edit(folder, change)
    with pytest.raises(BadCheckpoint):
        checkpoints.load(folder)


@pytest.mark.parametrize("asked", ["shades", "gentle"])
def test_gullies_are_shaded_or_fainter_only_if_they_are_shown(folder, asked):
    edit(folder, lambda c: c["sampler"].update({asked: {"9": 0.1}}))
    with pytest.raises(BadCheckpoint, match=f"{asked}, which need what it is not shown: gullies, plains"):
        checkpoints.load(folder)


def test_fields_and_woods_are_painted_only_if_they_are_shown(folder):
    edit(folder, lambda c: c["sampler"].update(paints={"11": 0.1}))
    with pytest.raises(BadCheckpoint, match="paints, which need what it is not shown: parcels, cover"):
        checkpoints.load(folder)


@pytest.mark.parametrize("dial", ["hushes", "snows", "dunes", "rocks", "faces", "crags", "stills", "ridges",
                                  "rivers", "courses"])
def test_woods_of_plains_and_snow_are_fainter_and_sand_has_dunes_only_if_it_is_shown_which_are(folder, dial):
    edit(folder, lambda c: c["sampler"].update({dial: {"13": 0.4}}))
    with pytest.raises(BadCheckpoint, match="not shown: plains"):
        checkpoints.load(folder)


@pytest.mark.parametrize("dial", ["crowns", "shores"])
def test_woods_have_crowns_and_shores_are_crisp_only_beside_what_is_shown(folder, dial):
    edit(folder, lambda c: c["sampler"].update({dial: {"13": 0.1}}))
    with pytest.raises(BadCheckpoint, match=f"{dial}, which need what it is not shown"):
        checkpoints.load(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(BadCheckpoint, match="config.json"):
        checkpoints.load(tmp_path / "nowhere")


def test_publishing_keeps_the_older_versions(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "WEIGHTS", tmp_path / "weights")
    first = checkpoints.publish(folder)
    edit(folder, lambda c: c["sampler"].update(times=[999]))
    second = checkpoints.publish(folder)
    assert [p.name for p in checkpoints.published()] == [second, first]
    assert checkpoints.load(tmp_path / "weights" / first).sampler.times == (999, 499)


def test_a_version_of_before_there_were_projections_is_read(folder):
    edit(folder, lambda c: [c["sampler"].pop("projections"), c["sampler"].update(project=False)])
    assert checkpoints.load(folder).sampler.dials(9).projection == 0.0
    edit(folder, lambda c: c["sampler"].update(project=True))  # none was ever published
    with pytest.raises(BadCheckpoint, match="project"):
        checkpoints.load(folder)
