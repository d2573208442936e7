"""People's pictures as planets."""

import struct
import zlib

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from model import pictures
from model.errors import BadPicture
from model.pictures import PictureTooLarge, Stored, describe, store


def picture(tmp_path, name="planet.png", size=(512, 256), mode="RGB", **options):
    width, height = size
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([255 * x // width, 255 * y // height, 128 + 0 * x], -1).astype(np.uint8)
    path = tmp_path / name
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path, pixels


def kept(tmp_path, path):
    store(path, tmp_path / "worlds" / "a", "A", "me")
    return Stored(tmp_path / "worlds" / "a"), describe(tmp_path / "worlds" / "a")


def test_a_whole_planet_keeps_its_pixels(tmp_path):
    path, pixels = picture(tmp_path)
    planet, about = kept(tmp_path, path)
    assert np.array_equal(planet.pyramid[0], pixels)
    assert [level.shape[0] for level in planet.pyramid] == [256, 128]
    assert about["title"] == "A" and about["attribution"] == "me" and len(about["digest"]) == 32
    assert [entry.name for entry in (tmp_path / "worlds").iterdir()] == ["a"]


@pytest.mark.parametrize("name, mode", [("a.jpg", "RGB"), ("a.webp", "RGB"), ("a.tif", "RGB"), ("a.png", "L"),
                                        ("a.png", "P"), ("a.png", "RGBA"), ("a.jpg", "L")])
def test_formats_and_kinds_of_colour(tmp_path, name, mode):
    path, pixels = picture(tmp_path, name, mode=mode)
    expected = np.asarray(Image.open(path).convert("RGB")).astype(int)
    planet, _ = kept(tmp_path, path)
    assert np.abs(planet.pyramid[0] - expected).mean() < 2


def test_the_name_of_a_file_says_nothing(tmp_path):
    path, pixels = picture(tmp_path)
    planet, _ = kept(tmp_path, path.rename(tmp_path / "picture"))
    assert np.array_equal(planet.pyramid[0], pixels)


def test_sixteen_bits_become_eight(tmp_path):
    ramp = np.linspace(1000, 9000, 256).astype(np.uint16)[:, None].repeat(512, 1)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    planet, _ = kept(tmp_path, tmp_path / "deep.png")
    assert planet.pyramid[0].min() == 0 and planet.pyramid[0].max() == 255


@pytest.mark.parametrize("size", [(300, 300), (400, 100), (100, 300)])
def test_another_shape_is_a_centred_patch_and_says_so(tmp_path, size):
    path, pixels = picture(tmp_path, size=size)
    planet, about = kept(tmp_path, path)
    plate = planet.pyramid[0]
    assert plate.shape[1] == 2 * plate.shape[0]
    middle = plate[plate.shape[0] // 2, plate.shape[1] // 2].astype(int)
    assert np.abs(middle - pixels[size[1] // 2, size[0] // 2]).max() <= 4
    assert len(np.unique(np.concatenate([plate[0], plate[-1], plate[:, 0]]), axis=0)) == 1      # the plain ground
    assert "patch" in about["note"] and f"{size[0]}×{size[1]}" in about["note"]


def test_a_patch_fades_into_the_ground(tmp_path):
    path, _ = picture(tmp_path, size=(300, 300))
    plate = kept(tmp_path, path)[0].pyramid[0].astype(int)
    assert np.abs(np.diff(plate, axis=1)).max() < 25


def geotiff(path, bounds, crs="EPSG:4326", size=(200, 100)):
    pixels = np.zeros((3, size[1], size[0]), np.uint8)
    pixels[0] = 200
    with rasterio.open(path, "w", driver="GTiff", width=size[0], height=size[1], count=3, dtype="uint8", crs=crs,
                       transform=Affine((bounds[2] - bounds[0]) / size[0], 0, bounds[0],
                                        0, (bounds[1] - bounds[3]) / size[1], bounds[3])) as file:
        pixels[1, : size[1] // 2] = 100
        file.write(pixels)


def test_a_geotiff_lies_where_it_belongs(tmp_path):
    geotiff(tmp_path / "a.tif", (60, 20, 100, 40))
    planet, about = kept(tmp_path, tmp_path / "a.tif")
    plate = planet.pyramid[0]

    def at(lat, lon):
        return tuple(plate[int((90 - lat) / 180 * plate.shape[0]), int((lon + 180) / 360 * plate.shape[1])])

    assert at(35, 80) == (200, 100, 0)
    assert at(25, 80) == (200, 0, 0)
    assert at(35, 20) == tuple(plate[0, 0])
    assert plate.shape[1] == 1792 and "20.0° to 40.0° N" in about["note"]


def test_a_geotiff_in_metres_is_warped(tmp_path):
    geotiff(tmp_path / "a.tif", (6_679_169, 2_273_031, 11_131_949, 4_865_942), "EPSG:3857")    # 60–100° E, 20–40° N
    plate = kept(tmp_path, tmp_path / "a.tif")[0].pyramid[0]
    there = plate[int(55 / 180 * plate.shape[0]), int(260 / 360 * plate.shape[1])]
    assert tuple(there) == (200, 100, 0)


def test_a_georeferenced_place_that_is_too_small_to_see_is_refused(tmp_path):
    geotiff(tmp_path / "a.tif", (10, 50, 10.01, 50.01))
    with pytest.raises(BadPicture, match="too little"):
        kept(tmp_path, tmp_path / "a.tif")


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n", b"<VRTDataset/>"])
def test_what_is_no_picture_is_refused_and_leaves_nothing(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(BadPicture):
        kept(tmp_path, tmp_path / "a.png")
    assert list((tmp_path / "worlds").iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_half_a_file_is_refused(tmp_path, name):
    path, _ = picture(tmp_path, name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadPicture):
        kept(tmp_path, path)


def test_a_small_picture_is_refused(tmp_path):
    with pytest.raises(BadPicture, match="too few"):
        kept(tmp_path, picture(tmp_path, size=(40, 20))[0])


def test_a_bomb_is_refused_by_what_it_claims(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 50_000, 8, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                                     + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    with pytest.raises(PictureTooLarge, match="5000 million"):
        kept(tmp_path, tmp_path / "a.png")


def test_a_wider_picture_than_we_keep_is_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "WIDEST", 256)
    path, pixels = picture(tmp_path)
    plate = kept(tmp_path, path)[0].pyramid[0]
    assert plate.shape == (128, 256, 3)
    assert np.abs(plate.astype(int) - pixels[::2, ::2]).max() <= 2
