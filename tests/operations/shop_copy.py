"""That backend as a program: it listens on a port, and reads DATABASE_URL, or a URL it is given."""

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.operations.shop_backend import shop

port, *given = sys.argv[1:]
with shop(given[0] if given else os.environ["DATABASE_URL"], port=int(port)):
    threading.Event().wait()
