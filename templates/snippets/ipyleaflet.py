from ipyleaflet import Map, TileLayer

elsewhere = TileLayer(
    url={{ place.tiles|tojson }},
    attribution={{ place.attribution|tojson }},
    name={{ place.name|tojson }},
    max_native_zoom={{ place.maxzoom }},
    max_zoom=19,
)
map = Map(center=({{ lat }}, {{ lon }}), zoom={{ zoom }}, layers=[elsewhere], scroll_wheel_zoom=True)
map
