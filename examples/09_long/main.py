"""My path does not fit into sun_path. What now?"""

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


# 1. Address: the path has 157 bytes, 107 fit.
dir = "d" * 150
path = f"{dir}/a.sock"
probe = socket.socket(socket.AF_UNIX)
show("address(path)", probe.bind, path)

# 2. Directory: a descriptor stands for the long part.
check("mkdir(dir)", os.mkdir, dir, 0o755)
flags = os.O_PATH | os.O_DIRECTORY
fd = check("open(dir)", os.open, dir, flags)

# 3. Alias: a short path to the same file.
path = f"/proc/self/fd/{fd}/a.sock"

# 4. Bind and connect: the file is in the directory.
listener = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(listener)", listener.bind, path)
check("listen(listener)", listener.listen)
client = check("socket()", socket.socket, socket.AF_UNIX)
check("connect(client)", client.connect, path)

# 5. The trap: the peer sees the alias of this process.
name = check("getpeername(client)", client.getpeername)
which = "alias" if name == path else "other"
print("name of server:", which)

# 6. Clean up: the file, and then the directory.
check("unlink(path)", os.unlink, path)
check("rmdir(dir)", os.rmdir, dir)
