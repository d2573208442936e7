# The picture of a box of 2 by 1 degrees, 512 pixels wide, as a GeoTIFF.
gdal_translate -projwin_srs EPSG:4326 -projwin {{ lon }} {{ lat + 1 }} {{ lon + 2 }} {{ lat }} -outsize 512 0 \
  "{{ place.gdal }}" elsewhere.tif

# What the map is, and the same through WMTS.
gdalinfo "{{ place.gdal }}"
gdalinfo "WMTS:{{ place.wmts }}"
