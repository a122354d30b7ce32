"""What fds.c does, with Python's socket.send_fds and socket.recv_fds."""

import os
import socket
import sys

verb, count = sys.argv[1], int(sys.argv[2])
peer = socket.socket(fileno=0)

if verb == "give":
    fds = [os.memfd_create("given") for _ in range(count)]
    for number, fd in enumerate(fds):
        os.pwrite(fd, b"%d" % number, 0)
    socket.send_fds(peer, [b"g"], fds)
    peer.recv(1)
    peer.send(b"".join(b"%d " % os.lseek(fd, 0, os.SEEK_CUR) for fd in fds))
else:
    for _ in range(count):
        _, fds, flags, _ = socket.recv_fds(peer, 64, 253)
        assert not flags & socket.MSG_CTRUNC
        for number, fd in enumerate(fds):
            os.write(fd, b"%d" % number)
            os.close(fd)
        peer.send(b"%d " % len(fds))
