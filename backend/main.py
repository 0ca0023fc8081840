"""``python backend/main.py``: serves the page and the API, like ``python3 -m backend serve`` with the same options."""

import sys

from launcher.start import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
