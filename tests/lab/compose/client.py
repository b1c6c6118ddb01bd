"""A client on a host with containers that logs in again and again, and asks who that is."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.lab import windows
from tests.lab.compose import canaries
from tests.lab.host import Host

STOP = "/run/stop-client"
# With a token of before. 1: a fresh login, its token and that one all work; 0: one was refused;
# -1: there was an answer, and it was of somebody else.
_CLIENT = """
import json, os, time, urllib.request
def ask(path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token: headers["Authorization"] = "Bearer " + token
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(of["url"] + path, data, headers)
    return json.load(urllib.request.urlopen(request, timeout=30))
def log_in(): return ask(of["login"], of["fields"])[of["token"]]
def who(token): return ask(of["protected"], token=token)[of["identity"]]
def tried(name, *tokens):
    try: return 1 if {who(token or log_in()) for token in tokens} == {name} else -1
    except Exception: return 0
[name] = [value for key, value in of["fields"].items() if key == of["identity"]]
first = None
if of["lasts"] and tried(name, None) == 1: first = log_in()
while not os.path.exists(of["stop"]):
    begun = time.monotonic()
    works = tried(name, None, first) if first else tried(name, None)
    print(begun, time.monotonic(), works, flush=True)
    time.sleep(of["pause"])
if first and tried(name, first) == 1: print("old token good")
"""


@dataclass(frozen=True)
class Asked:
    """What a client asks of a backend, and the pause between two of its attempts, in seconds.

    Where a session `lasts`, a token of before has to be good throughout as well.
    """

    url: str
    login: str
    fields: dict[str, str]
    protected: str
    token: str = "access_token"
    identity: str = "email"
    pause: float = 0.1
    lasts: bool = True


RECEPTIONIST = Asked(
    "http://127.0.0.1:8002",
    "/api/auth/login",
    {"email": "owner@example.com", "password": canaries.OWNER_PASSWORD},
    "/api/auth/me",
)
EDMS = Asked(
    "http://127.0.0.1:3001",
    "/api/v1/auth/login/",
    {"username": "admin", "password": canaries.EDMS_ADMIN_PASSWORD},
    "/api/v1/auth/profile/",
    token="access",
    identity="username",
    pause=0.05,
)


@dataclass
class Client:
    """What a client on the host saw: when each attempt began and ended, and how it came out.

    `old_token_good` is of a token of before, at the end.
    """

    of: Asked
    seen: list[tuple[float, float, int]] = field(default_factory=list)
    old_token_good: bool = False

    def read(self, text: str) -> None:
        for line in text.splitlines():
            if line == "old token good":
                self.old_token_good = True
            else:
                begun, ended, works = line.split()
                self.seen.append((float(begun), float(ended), int(works)))

    @property
    def window(self) -> float:
        """Give the longest time in seconds in which nobody could log in."""
        longest, down = 0.0, None
        for begun, ended, works in self.seen:
            down = None if works == 1 else begun if down is None else down
            longest = max(longest, ended - down + self.of.pause) if down is not None else longest
        return longest

    @property
    def slowest(self) -> float:
        """Give the longest time in seconds that an attempt took which worked."""
        return max((ended - begun for begun, ended, works in self.seen if works == 1), default=0.0)

    @property
    def worked(self) -> list[int]:
        return [works for _, _, works in self.seen]


@contextmanager
def logging_in(host: Host, of: Asked = RECEPTIONIST) -> Iterator[Client]:
    """Have a client on the host log in throughout."""
    client = Client(of)
    host.root(f"rm -f {STOP}")
    command = ["docker", "exec", "-i", host.name, "python3", "-"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    program = f"of = {dict(vars(of), stop=STOP)!r}\n{_CLIENT}"
    collected: list[str] = []
    reader = threading.Thread(target=lambda: collected.append(running.communicate(program)[0]))
    reader.start()
    try:
        yield client
    finally:
        host.root(f"touch {STOP}")
        reader.join(120)
        client.read("".join(collected))
        if client.worked[:1] == [1]:  # else it is one that nobody should let in
            windows.note(client.window)
