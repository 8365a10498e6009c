# SPDX-License-Identifier: MIT
"""Python's side of the tests of connections: connection_peer.py connect|listen ADDRESS KEY. Sends back what
comes until the end; KEY "" is none. Prints "listening" when it does, and "refused" if the key was wrong."""
import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener

role, address, key = sys.argv[1:4]
kind, _, rest = address.partition(":")
if kind == "tcp":
    host, _, port = rest.rpartition(":")
    where, family = (host, int(port)), "AF_INET"
else:
    where, family = ("\0" + rest if kind == "abstract" else rest), "AF_UNIX"
key = key.encode() or None
try:
    if role == "connect":
        connection = Client(where, family, authkey=key)
    else:
        listener = Listener(where, family, authkey=key)
        print("listening", flush=True)
        connection = listener.accept()
except (AuthenticationError, EOFError, ConnectionError):
    print("refused", flush=True)
    sys.exit(3)
while True:
    try:
        connection.send_bytes(connection.recv_bytes())
    except (EOFError, ConnectionError):
        break
