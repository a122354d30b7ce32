"""Can a socket have a name without a file?"""

import errno
import os
import socket
import sys


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
        sys.exit(f"{call}: {result}")
    return result


# 1. Address: a NUL, the name, and no NUL after it.
name = b"lesson-%d" % os.getpid()
addr = b"\0" + name

# 2. Listen: there is no file, and no permission.
listener = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(listener)", listener.bind, addr)
check("listen(listener)", listener.listen)
show("access(name)", os.stat, name)

# 3. Connect: with exactly the bytes that were bound.
client = check("socket()", socket.socket, socket.AF_UNIX)
check("connect(client)", client.connect, addr)

# 4. The trap: the NULs after it make another name.
wrong = check("socket()", socket.socket, socket.AF_UNIX)
show("connect(wrong)", wrong.connect, addr.ljust(108, b"\0"))

# 5. Close: the name is free at once.
check("close(listener)", listener.close)
again = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(again)", again.bind, addr)

# 6. Autobind: the kernel makes up a name that is free.
sock = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(sock)", sock.bind, "")
addr = check("getsockname(sock)", sock.getsockname)
print(f"length: {2 + len(addr)}, first byte: {addr[0]}")
