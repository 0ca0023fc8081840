"""The Flask application: the page, the API and the server that answers for both.

``create_app`` (app.py) puts it together; nothing here runs at import time, and nothing outside imports Flask.
"""
