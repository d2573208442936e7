# QGIS: Plugins > Python Console, paste, Enter.
from qgis.core import QgsProject, QgsRasterLayer

layer = QgsRasterLayer(
    {{ source|tojson }},
    {{ place.name|tojson }},
    "wms",
)
QgsProject.instance().addMapLayer(layer)
