"""Where does one message end and the next begin?"""

import errno
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


def receive(call, sock, size):
    """Receives at most size bytes, and prints what arrived."""
    buf, _, flags, _ = sock.recvmsg(size)
    lost = flags & socket.MSG_TRUNC
    end = ", the rest is lost" if lost else ""
    print(f'{call} = {len(buf)}, "{buf.decode()}"{end}')


def send_two(call, kind):
    """Makes a pair of a type, and sends two messages."""
    p = check(call, socket.socketpair, socket.AF_UNIX, kind)
    p[0].send(b"one")
    p[0].send(b"second")
    return p


# 1. Stream: bytes, and no messages.
p = send_two("socketpair(STREAM)", socket.SOCK_STREAM)
receive("recv(16)", p[1], 16)

# 2. Its end: 0 bytes.
p[0].close()
receive("recv(16)", p[1], 16)
show("send()", p[1].send, b"x")

# 3. Datagram: a message is kept whole, or truncated.
p = send_two("socketpair(DGRAM)", socket.SOCK_DGRAM)
receive("recv(16)", p[1], 16)
receive("recv(3)", p[1], 3)

# 4. Empty message: 0 bytes, which are not the end.
p[0].send(b"")
receive("recv(16)", p[1], 16)
p[0].close()
show("send()", p[1].send, b"x")

# 5. Seqpacket: whole messages, and an end.
p = send_two("socketpair(SEQPACKET)", socket.SOCK_SEQPACKET)
receive("recv(16)", p[1], 16)
p[0].close()
receive("recv(16)", p[1], 16)
receive("recv(16)", p[1], 16)
