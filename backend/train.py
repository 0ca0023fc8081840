"""``python backend/train.py``: trains a recipe, like ``python3 -m backend train`` with the same options."""

import sys

from launcher.start import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
