import rasterio
from rasterio.warp import transform_bounds

with rasterio.open({{ place.gdal|tojson }}) as elsewhere:
    box = transform_bounds("EPSG:4326", elsewhere.crs, {{ lon }}, {{ lat }}, {{ lon + 2 }}, {{ lat + 1 }})
    # One file for every zoom: GDAL fetches the tiles of the zoom that this many pixels need.
    pixels = elsewhere.read(window=elsewhere.window(*box), out_shape=(3, 256, 384))

print(pixels.shape, pixels.mean(axis=(1, 2)))
