"""What does a daemon's socket need, all told?"""

import errno
import fcntl
import os
import socket
import stat
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


# 1. Lock: one daemon at a time, until it dies.
def take_lock():
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        lock = os.open(lock_path, flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise OSError(errno.EADDRINUSE, "a daemon runs")
        # If the locked file was unlinked, try again.
        try:
            there = os.stat(lock_path)
            if os.path.samestat(os.fstat(lock), there):
                return lock
        except FileNotFoundError:
            pass
        os.close(lock)


# 2. Probe: a file is removed only if it is proved dead.
def remove_dead():
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    kind = socket.SOCK_DGRAM
    with socket.socket(socket.AF_UNIX, kind) as probe:
        try:
            if is_socket:
                probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError:
            pass
    raise OSError(errno.EADDRINUSE, "not a dead socket")


# 3. Listen: with its mode from the beginning.
def start():
    lock = take_lock()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        remove_dead()
        os.fchmod(listener.fileno(), 0o600)
        listener.bind(path)
        listener.listen()
    except OSError:
        listener.close()
        os.close(lock)
        raise
    return lock, listener


# 4. Crash: a daemon was killed, and its file is left.
if not 0 < len(os.fsencode(path)) < 108:
    sys.exit(f"{path}: empty or too long")
lock_path = path + ".lock"
killed = check("socket()", socket.socket, socket.AF_UNIX)
check("bind(killed)", killed.bind, path)
check("close(killed)", killed.close)

# 5. Start: the first daemon runs, a second does not.
lock, listener = check("start(daemon)", start)
st = check("stat(path)", os.stat, path)
print(f"mode: {st.st_mode & 0o7777:04o}")
show("start(second)", start)

# 6. Serve: a client that has gone does not kill us.
client = check("socket()", socket.socket, socket.AF_UNIX)
check("connect(client)", client.connect, path)
server, _ = check("accept(daemon)", listener.accept)
server.send(b"hello\n")
print("recv(client) =", len(client.recv(15)))
client.close()
show("send()", server.send, b"x")

# 7. Stop: unlink the file, then release the lock.
check("unlink(path)", os.unlink, path)
listener.close()
os.unlink(lock_path)
os.close(lock)
