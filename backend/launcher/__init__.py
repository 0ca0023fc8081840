"""The launcher: from a bare Python to a running command. Standard library only, none of the project's packages.

``start`` chooses the steps, ``environment`` installs packages, ``page`` finds Node.js and builds the page, ``checks``
runs every test, ``audit`` looks up vulnerabilities, ``steps`` runs one set-up program and shows its progress. Messages
go to stderr only. Python 3.7 can parse all of it, so that an old Python prints a clear message instead of a
SyntaxError.
"""
