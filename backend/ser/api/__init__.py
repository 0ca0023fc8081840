"""The Flask application that serves the page and the API, and its production server.

``create_app`` (app.py) assembles it; nothing here runs at import time, and no other room imports Flask.
"""
