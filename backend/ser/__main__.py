"""Runs the ``ser`` command as ``python -m ser``."""

from ser.cli import main

if __name__ == "__main__":
    main()
