"""``python3 -m backend``: sets up what is missing, then runs a command. Standard library only.

Works as a module from the project's folder and by path (``python3 path/to/backend``) from anywhere.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from launcher.start import main  # noqa: E402  (found through the line above)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
