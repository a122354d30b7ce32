"""Who may connect to my socket?"""

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


def show_mode():
    st = check("stat(path)", os.stat, path)
    print(f"mode: {st.st_mode & 0o7777:04o}")


# 1. Address: the path must fit, with its NUL.
if not 0 < len(os.fsencode(path)) < 108:
    sys.exit(f"{path}: empty or too long")

# 2. Umask: the file gets 0777 less the umask.
os.umask(0o022)
sock = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(sock)", sock.bind, path)
check("listen(sock)", sock.listen)
show_mode()

# 3. Chmod: too late for those who were faster.
early = check("socket()", socket.socket, socket.AF_UNIX)
check("connect(early)", early.connect, path)
check("chmod(path, 0)", os.chmod, path, 0)
late = check("socket()", socket.socket, socket.AF_UNIX)
# Root may connect to all, so it becomes another user.
check("seteuid()", os.seteuid, os.getuid() or 65534)
show("connect(late)", late.connect, path)
check("seteuid()", os.seteuid, os.getuid())
check("accept(sock)", sock.accept)
check("unlink(path)", os.unlink, path)

# 4. Fchmod: before bind, so that it is never wider.
sock = check("socket()", socket.socket, socket.AF_UNIX)
check("fchmod(sock, 0600)", os.fchmod, sock.fileno(), 0o600)
check("bind(sock)", sock.bind, path)
show_mode()
check("unlink(path)", os.unlink, path)

# 5. Directory: nobody else can even look up the file.
check("mkdir(dir, 0700)", os.mkdir, "dir", 0o700)
check("rmdir(dir)", os.rmdir, "dir")
