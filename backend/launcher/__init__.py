"""The launcher: from a bare Python to a running command. Standard library only, none of the project's packages.

``start`` decides, ``environment`` installs packages, ``page`` finds Node.js and builds the page, ``checks``
runs every test, ``audit`` asks about vulnerabilities, ``steps`` runs one set-up program and tells a person about it. It
speaks on stderr only. All of it can be parsed by Python 3.7, so that an old Python gets a sentence and not a
SyntaxError.
"""
