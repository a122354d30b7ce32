#!/usr/bin/env python3
"""Uses libsunpath through ctypes alone. It binds with a mode at a path of any length, even if a crash has left the
file, receives a descriptor, and sends bytes over it.

    receive.py LIBRARY PATH
"""

import ctypes
import os
import socket
import sys


class BindOptions(ctypes.Structure):
    """struct sunpath_bind_options"""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("flags", ctypes.c_uint),
        ("mode", ctypes.c_uint),
        ("owner", ctypes.c_uint),
        ("group", ctypes.c_uint),
        ("if_exists", ctypes.c_int),
        ("backlog", ctypes.c_int),
    ]


SUNPATH_SET_MODE = 0x100
SUNPATH_REPLACE_STALE = 1

library = ctypes.CDLL(sys.argv[1], use_errno=True)


def call(name, *arguments):
    """Calls a function, and raises OSError if it fails. The functions set errno last, so it is still valid here."""
    result = getattr(library, name)(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def main():
    options = BindOptions(size=ctypes.sizeof(BindOptions), if_exists=SUNPATH_REPLACE_STALE)
    options.flags, options.mode = SUNPATH_SET_MODE, 0o600
    server, error = ctypes.c_void_p(), ctypes.c_uint64()
    path = os.fsencode(sys.argv[2])
    try:
        call("sunpath_bind", int(socket.SOCK_STREAM), path, ctypes.byref(options), ctypes.byref(server),
             ctypes.byref(error))
    except OSError:
        text = ctypes.create_string_buffer(256)
        call("sunpath_explain", error, text, len(text))
        sys.exit(text.value.decode())
    print("listening", flush=True)

    client = call("sunpath_accept", call("sunpath_server_fd", server), 0)
    received = socket.socket(fileno=call("sunpath_recv_fd", client, None))
    os.close(client)
    with received:
        received.sendall(b"hello")
    call("sunpath_server_close", server, None)


if __name__ == "__main__":
    main()
