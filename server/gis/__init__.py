"""What GIS programs connect with, and the page that tells people how.

``documents`` answers the connection files, ``use`` the page of snippets; ``place`` is what both describe.
"""

from server.gis.documents import blueprint as documents
from server.gis.use import blueprint as use

blueprints = (documents, use)
