# QGIS: Plugins > Python Console, paste, Enter.
from qgis.core import QgsProject, QgsRasterLayer

layer = QgsRasterLayer(
    "{{ source }}",
    {{ place.name|tojson }},
    "wms",
)
QgsProject.instance().addMapLayer(layer)
