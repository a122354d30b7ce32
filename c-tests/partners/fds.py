"""Does the same as fds.c, with Python's socket.send_fds and socket.recv_fds."""

import os
import socket
import sys

verb, counts = sys.argv[1], [int(arg) for arg in sys.argv[2:]]
peer = socket.socket(fileno=0)


def give(count):
    fds = [os.memfd_create("given") for _ in range(count)]
    for number, fd in enumerate(fds):
        os.pwrite(fd, b"%d" % number, 0)
    peer.recv(1)
    socket.send_fds(peer, [b"g"], fds)
    peer.recv(1)
    peer.send(b"".join(b"%d " % os.lseek(fd, 0, os.SEEK_CUR) for fd in fds))
    for fd in fds:
        os.close(fd)


def take():
    _, fds, flags, _ = socket.recv_fds(peer, 64, 253)
    assert not flags & socket.MSG_CTRUNC
    for number, fd in enumerate(fds):
        os.write(fd, b"%d" % number)
        os.close(fd)
    peer.send(b"%d " % len(fds))


if verb == "give":
    for count in counts:
        give(count)
else:
    for _ in range(counts[0]):
        take()
