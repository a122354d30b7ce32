"""Why does accept not tell me who has connected?"""

import errno
import os
import socket
import struct
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

# 2. Connect: the client is not bound to any name.
listener = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(listener)", listener.bind, path)
check("listen(listener)", listener.listen)
client = check("socket()", socket.socket, socket.AF_UNIX)
check("connect(client)", client.connect, path)

# 3. Accept: the address is the family alone.
server, name = check("accept(listener)", listener.accept)
print(f'name of the client: "{name}"')

# 4. Ask the other way: the server has a name.
name = check("getpeername(client)", client.getpeername)
print(f'name of the server: "{name}"')

# 5. Credentials: the kernel knows who connected.
size = struct.calcsize("iII")
so = socket.SO_PEERCRED
cred = check("getsockopt(server, SO_PEERCRED)",
             server.getsockopt, socket.SOL_SOCKET, so, size)
pid, uid, gid = struct.unpack("iII", cred)
ours = "ours" if uid == os.geteuid() else "not ours"
print("uid of client:", ours)

# 6. Clean up: only unlink removes the file.
check("unlink(path)", os.unlink, path)
