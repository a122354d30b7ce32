"""How long may a path be, and what becomes of a longer one?"""

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


# 1. Address: a family, 108 bytes, and a length.
# Python makes the address from a path, and hides its parts.

# 2. Check: the path and its NUL must fit.
if not 0 < len(os.fsencode(path)) < 108:
    sys.exit(f"{path}: empty or too long")

# 3. Bind: the length is that of the whole address.
sock = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(sock)", sock.bind, path)

# 4. The trap: a path of 200 bytes, where 107 fit.
long_path = "x" * 200
trap = check("socket()", socket.socket, socket.AF_UNIX)
show("bind(trap, long_path)", trap.bind, long_path)

# 5. Clean up: is there a file that nobody asked for?
check("unlink(path)", os.unlink, path)
show("unlink(<108 bytes>)", os.unlink, long_path[:108])
