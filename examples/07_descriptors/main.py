"""How does an open file travel through a socket?"""

import fcntl
import os
import socket


def check(call, result):
    """Prints a call that had to succeed, or it raised."""
    print(call, "= ok")
    return result


# 1. Control: aligned, with space for one descriptor.

# 2. Send: one byte, and the descriptor with it.
def send_fd(sock, fd):
    check("sendmsg()", socket.send_fds(sock, [b"x"], [fd]))


# 3. Receive: a new number for the same open file.
def recv_fd(sock):
    received = socket.recv_fds(sock, 1, 1)
    return check("recvmsg()", received)[1][0]


# 4. Pass: one end of another pair.
p = check("socketpair(p)", socket.socketpair(socket.AF_UNIX))
ends = socket.socketpair(socket.AF_UNIX)
ends = [end.detach() for end in ends]
print("socketpair(ends) = ok")
send_fd(p[0], ends[1])
received = recv_fd(p[1])
print("close-on-exec:", fcntl.fcntl(received, fcntl.F_GETFD))

# 5. Use: it stays open when the sender closes its own.
os.close(ends[1])
check("write(received)", os.write(received, b"hello"))
buf = os.read(ends[0], 15)
print(f'read(ends[0]) = {len(buf)}, "{buf.decode()}"')

# 6. Lost: recv takes the byte, and not the descriptor.
send_fd(p[0], received)
os.close(received)
check("recv(p[1])", p[1].recv(1))
buf = os.read(ends[0], 16)
print("read(ends[0]) =", len(buf))
