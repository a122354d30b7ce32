"""Follows each advice of docs/python-differences.md, in the current directory, and fails if one is wrong.
A test looks for the code of the page in this program."""

import contextlib
import errno
import os
import pathlib
import socket
import struct
import time


def new(kind=socket.SOCK_STREAM):
    return socket.socket(socket.AF_UNIX, kind)


def raised(call, *arguments):
    """Returns the exception of a call, which has to fail."""
    try:
        call(*arguments)
    except (OSError, TypeError) as error:
        return error
    raise AssertionError(f"{call} does not fail")


def is_named(address):
    if not address:
        return False
    return True


# 1. Unnamed: '' and None are both false, and a name is not.
unnamed, named = new(socket.SOCK_DGRAM), new(socket.SOCK_DGRAM)
named.bind("named")
unnamed.sendto(b"x", "named")
assert not is_named(unnamed.getsockname()) and not is_named(named.recvfrom(1)[1])
assert is_named(named.getsockname())

# 2. Abstract: fsencode gives bytes for a path and for a name.
abstract = new()
abstract.bind(b"\0sunpath.advice.%d" % os.getpid())
for made, first in (abstract, 0), (named, ord("n")):
    address = made.getsockname()
    assert os.fsencode(address)[0] == first

# 3. Length: with 107 bytes a path fits, and with 108 it does not.
for path, fits in ("ä" * 53 + "b", True), ("ä" * 54, False):
    assert (len(os.fsencode(path)) < 108) == fits
    if fits:
        new().bind(path)
    else:
        error = raised(new().bind, path)
        assert error.errno is None
assert raised(new().bind, "named").errno == errno.EADDRINUSE

# 4. Type: a Path is refused, and its text is not.
path = pathlib.Path("from a Path")
assert isinstance(raised(new().bind, path), TypeError)
listener = new()
listener.bind(os.fspath(path))

# 5. Descriptor: the error comes when the object is made.
with open("file", "w") as file:
    fd = file.fileno()
    assert raised(lambda: socket.socket(fileno=fd)).errno == errno.ENOTSOCK

# 6. Full: with a timeout connect fails at once, and with SO_SNDTIMEO after it.
listener.listen(0)
first, second, third = new(), new(), new()
first.connect("from a Path")
second.settimeout(60)
began = time.monotonic()
assert isinstance(raised(second.connect, "from a Path"), BlockingIOError)
assert time.monotonic() - began < 30
seconds, microseconds = 0, 100_000
third.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, microseconds))
began = time.monotonic()
assert isinstance(raised(third.connect, "from a Path"), BlockingIOError)
assert time.monotonic() - began > 0.09
listener.accept()[0].close()
with contextlib.suppress(BlockingIOError):
    second.connect("from a Path")
assert second.getpeername() == "from a Path"
