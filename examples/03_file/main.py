"""The daemon was killed. Why can it not start again?"""

import errno
import os
import socket
import sys

path = sys.argv[1] if len(sys.argv) > 1 else "a.sock"


def show(call, function, *args):
    """Prints a call and its result, an errno by its name."""
    try:
        result = function(*args)
        print(call, "= ok")
        return result
    except OSError as error:
        name = errno.errorcode.get(error.errno, "refused")
        print(call, "=", name)
        return error


def check(call, function, *args):
    """Does the same, and ends the program if it failed."""
    result = show(call, function, *args)
    if isinstance(result, OSError):
        sys.exit(f"{path}: {result}")
    return result


# 1. Address: the path must fit, with its NUL.
if not 0 < len(os.fsencode(path)) < 108:
    sys.exit(f"{path}: empty or too long")
client = check("socket()", socket.socket, socket.AF_UNIX)
kind = socket.SOCK_DGRAM
probe = check("socket()", socket.socket, socket.AF_UNIX, kind)

# 2. Live: a connect of the wrong type proves it.
first = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(first)", first.bind, path)
check("listen(first)", first.listen)
show("connect(probe)", probe.connect, path)

# 3. Killed: the socket is closed, and the file stays.
check("close(first)", first.close)
show("connect(client)", client.connect, path)

# 4. Start again: the file is in the way.
second = check("socket()", socket.socket, socket.AF_UNIX)
show("bind(second)", second.bind, path)

# 5. Replace: only a file that is proved dead.
dead = show("connect(probe)", probe.connect, path)
if isinstance(dead, ConnectionRefusedError):
    check("unlink(path)", os.unlink, path)
show("connect(client)", client.connect, path)
check("bind(second)", second.bind, path)

# 6. Clean up: nobody else removes the file.
second.close()
check("unlink(path)", os.unlink, path)
