"""Why does connect return before anyone has accepted?"""

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

# 2. Listen: from here on the kernel takes connections.
listener = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(listener)", listener.bind, path)
check("listen(listener)", listener.listen)

# 3. Connect: the connection waits in the queue.
client = check("socket()", socket.socket, socket.AF_UNIX)
check("connect(client)", client.connect, path)
n = client.send(b"hello")
print('send(client, "hello") =', n)

# 4. Accept: a new socket, and the bytes are in it.
server, _ = check("accept(listener)", listener.accept)
buf = server.recv(15)
print(f'recv(server) = {len(buf)}, "{buf.decode()}"')

# 5. Close: the other end reads 0 bytes.
check("close(client)", client.close)
buf = server.recv(15)
print("recv(server) =", len(buf))

# 6. Clean up: only unlink removes the file.
server.close()
listener.close()
check("unlink(path)", os.unlink, path)
