"""The web application of Elsewhere: routes, documents for GIS programs, the page, queue, store, command line.

It imports :mod:`model` and is never imported by it.
"""
