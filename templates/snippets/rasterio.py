import rasterio
from rasterio.windows import Window

# The same file for every zoom: GDAL fetches the tiles of the zoom that a decimated read needs.
with rasterio.open({{ place.gdal|tojson }}) as elsewhere:
    print(elsewhere.crs, elsewhere.width, "x", elsewhere.height, "pixels")
    row, col = elsewhere.index(*rasterio.warp.transform("EPSG:4326", elsewhere.crs, [{{ lon }}], [{{ lat }}]))
    row, col = int(row[0]), int(col[0])
    pixels = elsewhere.read(window=Window(col, row, 65536, 65536), out_shape=(3, 256, 256))

print(pixels.shape, pixels.mean(axis=(1, 2)))
