"""The code that every suite of the Python lane uses: bytes in the notation of strace, the outcome of a
call, and the words for what Python's socket module gives back. notation.c, names.c and socket.c do the
same in C."""

import errno
import os
import re
import socket

# The bytes of struct sockaddr_un before sun_path, and those of sun_path.
OFFSET, SPACE = 2, 108


class NotAsked(Exception):
    """The socket module has nothing to make a call with. The text is the reason."""


# 1. Bytes: a{4} is four times a, and \0 a NUL.


def read_bytes(text):
    """Returns the bytes at the front of a text that begins with a quote, and the text after them."""
    at, found = 1, b""
    while text[at] != '"':
        unit = re.compile(r'(\\x[0-9a-f]{2}|\\.|[^"\\])(?:\{(\d+)\})?').match(text, at)
        byte = unit[1]
        if byte.startswith("\\x"):
            byte = int(byte[2:], 16)
        else:
            byte = ord({"\\0": "\0"}.get(byte, byte[-1]))
        found += bytes([byte]) * int(unit[2] or 1)
        at = unit.end()
    return found, text[at + 1:]


def show_bytes(found):
    """Returns the bytes in quotes, with four or more of one byte as a{4}."""
    text = '"'
    for run in re.finditer(rb"(.)\1*", found, re.S):
        byte, times = run[1][0], len(run[0])
        if byte == 0:
            shown = "\\0"
        elif byte in b'"\\':
            shown = "\\" + chr(byte)
        elif byte <= 0x20 and byte != 0x20 or byte >= 0x7F or byte == ord("{"):
            shown = "\\x%02x" % byte
        else:
            shown = chr(byte)
        text += shown * times if times < 4 else f"{shown}{{{times}}}"
    return text + '"'


# 2. Paths: a long one is its length, and a number that changes is a letter.


def show_path(path):
    path = os.fsencode(path)
    if len(path) > 300:
        return f"<{len(path)} bytes>"
    return show_bytes(re.sub(rb"^(/proc/self/fd/)\d+", rb"\1N", path))


# 3. Outcomes.


def failure(error):
    """Returns the name of the errno, or for an error without one its type and its text."""
    number = getattr(error, "errno", None)
    if number is not None:
        return errno.errorcode[number]
    return f"{type(error).__name__}: {error}".replace(";", ",")


def outcome(call, *arguments):
    """Makes a call, and returns its result in words: ok, or how it failed."""
    try:
        call(*arguments)
    except (OSError, TypeError, ValueError) as error:
        return failure(error)
    return "ok"


# 4. Addresses: a path comes back as str. It is printed as C prints the same path, with the length and
# the NUL of C. Everything else is printed as Python shows it.


def show_address(address):
    if isinstance(address, str) and address:
        path = os.fsencode(address)
        if path.startswith(b"/proc/self/fd/"):
            return show_path(path + b"\0")
        nul = b"\0" if len(path) < SPACE else b""
        return f"{OFFSET + len(path) + 1}, {show_path(path + nul)}"
    if isinstance(address, bytes):
        return "b" + show_bytes(address)
    return repr(address)


def new_socket(kind):
    """Returns a nonblocking socket, so that a case that goes wrong prints EAGAIN and does not wait."""
    made = socket.socket(socket.AF_UNIX, kind)
    made.setblocking(False)
    return made
