"""Taking a piece of the map away: ``python -m server render``.

``area`` is what is asked for, ``job`` makes its tiles (and goes on where it was killed), ``price`` says beforehand what
that costs, ``raster`` and ``archive`` turn the tiles into one file.
"""
