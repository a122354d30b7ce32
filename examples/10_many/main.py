"""How can one thread serve many, and what if nobody accepts?"""

import errno
import os
import select
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
    """Does the same, and exits at every error but EAGAIN."""
    result = show(call, function, *args)
    full = isinstance(result, BlockingIOError)
    if isinstance(result, OSError) and not full:
        sys.exit(f"{call}: {result}")
    return result


def new():
    sock = check("socket()", socket.socket, socket.AF_UNIX)
    sock.setblocking(False)
    return sock


# 1. Address: this path fits.
path = "a.sock"

# 2. Listen: a queue with space for two connections.
sock = new()
check("bind(sock)", sock.bind, path)
check("listen(sock, 1)", sock.listen, 1)

# 3. Full: a nonblocking connect does not wait.
clients = []
for word in b"work", b"stop", b"late":
    clients.append(new())
    if check("connect()", clients[-1].connect, path) is None:
        clients[-1].send(word)

# 4. Serve: one call waits for the listener and for all.
poll = select.poll()
poll.register(sock, select.POLLIN)
servers = {}
stop = False
while not stop:
    ready = [fd for fd, _ in poll.poll()]
    print("poll() =", len(ready))
    if sock.fileno() in ready:
        server, _ = check("accept()", sock.accept)
        server.setblocking(False)
        servers[server.fileno()] = server
        poll.register(server, select.POLLIN)
    for fd in set(ready) & set(servers):
        buf = servers[fd].recv(15)
        print(f'recv() = {len(buf)}, "{buf.decode()}"')
        stop = stop or buf == b"stop"
        if buf:
            servers[fd].send(b"done")
        else:
            poll.unregister(fd)
            servers.pop(fd).close()

# 5. Stop: only unlink removes the file.
check("unlink(path)", os.unlink, path)
