import folium

map = folium.Map(location=[{{ lat }}, {{ lon }}], zoom_start={{ zoom }}, tiles=None)
folium.TileLayer(
    tiles={{ place.tiles|tojson }},
    attr={{ place.attribution|tojson }},
    name={{ place.name|tojson }},
    max_native_zoom={{ place.maxzoom }},
    max_zoom=19,
).add_to(map)
map.save("elsewhere.html")  # in a notebook, end with `map` instead
