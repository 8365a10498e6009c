# SPDX-License-Identifier: MIT
"""Python's side of the tests of segments: segment_peer.py memory|list NAME."""
import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import ShareableList, SharedMemory



def keep(memory):
    """Python before 3.13 would remove at its end what it only attached."""
    if sys.version_info < (3, 13):
        resource_tracker.unregister(memory._name, "shared_memory")


what, name = sys.argv[1:3]
if what == "memory":
    memory = SharedMemory(name)
    keep(memory)
    assert memory.size == 10001 and bytes(memory.buf[9997:]) == b"ours", (memory.size, bytes(memory.buf[9997:]))
    memory.buf[:6] = b"theirs"
    memory.close()
else:
    items = [-7, 2.5, True, "text", b"\1\2\3", None, "", "12345678"]
    theirs, own = ShareableList(name=name), ShareableList(items)
    keep(theirs.shm)
    assert list(theirs) == items, list(theirs)
    size = len(bytes(theirs.shm.buf))
    assert bytes(own.shm.buf)[:size] == bytes(theirs.shm.buf), "the layout differs"
    assert own.shm.size == size or own.shm.size % 4096 == 0, (own.shm.size, size)
    theirs[3] = "changed"
    theirs[5] = 99
    theirs.shm.close()
    own.shm.close()
    own.shm.unlink()
