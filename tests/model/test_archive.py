"""A plain folder of georeferenced images is an archive to train on."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from rasterio.warp import transform

from model.errors import BadImagery
from model.training.archive import nearest_level, read_archive, split_of
from model.training.imagery import read_patches
from model.training.pairs import PairConfig, Pairs

UTM = "EPSG:32632"


def scene(path: Path, pixels: np.ndarray, metres: float = 19.0, west=500_000, north=4_700_000, **extra) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, count = pixels.shape
    with rasterio.open(path, "w", driver="GTiff", width=width, height=height, count=count, dtype=pixels.dtype, crs=UTM,
                       transform=Affine(metres, 0, west, 0, -metres, north), **extra) as file:
        file.write(pixels.transpose(2, 0, 1))
    return path


def ramp(height: int, width: int) -> np.ndarray:
    """Brighter from west to east in red, from north to south in green."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // (width - 1), y * 255 // (height - 1), 0 * x + 90], -1).astype(np.uint8)


def everything(folder: Path, warn=print):
    patches = []
    for split in ("train", "val", "test"):
        try:
            patches += read_archive(folder, split, progress=False, warn=warn)
        except BadImagery:
            pass  # a split without a scene
    return patches


def test_a_scene_is_cut_where_it_lies_at_its_own_ground_resolution(tmp_path):
    scene(tmp_path / "alps" / "one.tif", ramp(700, 900))
    patches = everything(tmp_path)
    assert len(patches) >= 4 and {p.scene for p in patches} == {"alps/one"}
    for patch in patches:
        assert patch.m_per_px == pytest.approx(19.0, rel=0.02) and patch.level == "19"
        easting, northing = (v[0] for v in transform("EPSG:4326", UTM, [patch.lon], [patch.lat]))
        red, green, _ = patch.pixels[118:138, 118:138].mean((0, 1))  # the ramp says where we are
        assert red / 255 * 899 == pytest.approx((easting - 500_000) / 19, abs=6)
        assert green / 255 * 699 == pytest.approx((4_700_000 - northing) / 19, abs=6)


def test_a_large_scene_feeds_the_coarser_levels_too(tmp_path):
    scene(tmp_path / "large.tif", ramp(1300, 1300), metres=19.0)
    assert {p.level for p in everything(tmp_path)} == {"19", "76"}


def test_squares_with_holes_are_left_out(tmp_path):
    pixels = ramp(1000, 700) // 2 + 20
    scene(tmp_path / "whole.tif", pixels)
    whole = len(everything(tmp_path))
    pixels[:300] = 0
    scene(tmp_path / "whole.tif", pixels, nodata=0)
    patches = everything(tmp_path)
    assert 0 < len(patches) < whole
    assert all((p.pixels > 0).all() for p in patches)


def test_what_cannot_be_used_is_named(tmp_path):
    scene(tmp_path / "good.tif", ramp(400, 400))
    scene(tmp_path / "deep.tif", ramp(400, 400).astype(np.uint16))
    scene(tmp_path / "grey.tif", ramp(400, 400)[..., :1])
    scene(tmp_path / "small.tif", ramp(100, 100))
    (tmp_path / "broken.tif").write_bytes((tmp_path / "good.tif").read_bytes()[:50])
    from PIL import Image
    Image.fromarray(ramp(400, 400)).save(tmp_path / "nowhere.png")
    said = []
    patches = everything(tmp_path, said.append)
    assert {p.scene for p in patches} == {"good"}
    for name, why in (("deep", "uint16"), ("grey", "1 band"), ("small", "whole"), ("broken", ""), ("nowhere", "geo")):
        assert any(name in line and why in line for line in said), name


def test_the_split_is_by_scene_and_stays(tmp_path):
    names = [f"scene-{i}" for i in range(400)]
    splits = [split_of(name) for name in names]
    assert splits == [split_of(name) for name in names]
    assert 280 < splits.count("train") < 350 and 20 < splits.count("val") < 60 and 20 < splits.count("test") < 60


def test_levels_are_nearest_in_octaves():
    levels = {0.5: "4.8", 9: "4.8", 10: "19", 30: "19", 200: "305", 500: "305", 9000: "4892"}
    assert {m: nearest_level(m) for m in levels} == levels


def test_it_is_read_as_imagery_and_gives_pairs(tmp_path):
    name = next(f"{i}" for i in range(100) if split_of(f"{i}") == "train")
    scene(tmp_path / f"{name}.tif", ramp(600, 600))
    patches = read_patches(tmp_path, "train", progress=False)
    condition, target, m_per_px, _ = Pairs(patches, 1, PairConfig(crop=64)).batch(0, 2)
    assert condition.shape == (2, 3, 16, 16) and target.shape == (2, 3, 64, 64) and (m_per_px > 10).all()


def test_a_split_without_a_scene_is_refused_and_says_why(tmp_path):
    name = next(f"{i}" for i in range(100) if split_of(f"{i}") == "train")
    scene(tmp_path / f"{name}.tif", ramp(400, 400))
    with pytest.raises(BadImagery, match="'val'.*ten or more"):
        read_patches(tmp_path, "val", progress=False)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadImagery, match="no georeferenced image"):
        read_patches(tmp_path, "train", progress=False)
