"""That backend as a program: it listens on a port, and reads DATABASE_URL, or a URL it is given.

The tokens that another one has made are those of the account that comes third.
"""

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.operations.shop_backend import shop

port, *given = sys.argv[1:]
url, older = (*given, "", "")[:2]
with shop(url or os.environ["DATABASE_URL"], port=int(port), older=older):
    threading.Event().wait()
