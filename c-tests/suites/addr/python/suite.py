"""Runs the cases of cases.txt with Python's socket module. For each call of ../c/addr.c the program makes
the nearest call of the module, and prints the same lines. It reads the table from standard input, and
works in the current directory.

"norm\\0" in the table means the path "norm", however C writes it and its length, because a program in
Python passes a path and no length."""

import os
import re
import socket
import stat
import sys

from words import NotAsked, OFFSET, SPACE, new_socket, outcome, read_bytes, show_address, show_bytes

SIZE = OFFSET + SPACE
KIND = socket.SOCK_STREAM
GIVEN = re.compile(rb"\0[0-9a-f]{5}")

# 1. Read the table.


class Step:
    """One call: its name, the letter of its socket, its address, and the length that C passes."""

    def __init__(self, text):
        self.call, rest = text.split("(", 1)
        self.letter = self.path = self.form = self.source = self.family = None
        while not rest.startswith(")"):
            rest = self.read(rest)
            rest = rest[2:] if rest.startswith(", ") else rest
        self.rest = rest[1:]

    def read(self, text):
        """Takes one argument, and returns the text after it."""
        if text[0] == '"':
            self.path, text = read_bytes(text)
            return text
        if text[0] == "{":
            self.family, text = text[1:].split(", ", 1)
            self.path, text = read_bytes(text)
            return text[1:]
        word = re.match(r"sockname\((.)\)|[^,)]+", text)
        if word[1]:
            self.source = word[1]
        elif re.fullmatch("[a-z]", word[0]):
            self.letter = word[0]
        else:
            self.form = word[0]
        return text[word.end():]

    def length(self, reported):
        """Returns the length that C passes, which Python computes."""
        if self.form == "exact":
            return OFFSET + len(self.path)
        if self.form in ("reported", "clamped"):
            return reported if self.form == "reported" else min(reported, SIZE)
        return SIZE if self.form in (None, "sizeof") else int(self.form)

    def show(self, reported=SIZE):
        arguments = [self.letter] if self.letter else []
        if self.family:
            arguments.append(f"{{{self.family}, {show_bytes(self.path)}}}")
        elif self.path is not None:
            arguments.append(show_bytes(self.path))
        elif self.source:
            arguments.append(f"sockname({self.source})")
        if self.form:
            arguments.append(str(self.length(reported)))
        return f"{self.call}({', '.join(arguments)})"

    def name(self):
        """Returns what a program in Python passes for the address in the table."""
        length = self.length(0)
        if self.family not in (None, "AF_UNIX"):
            raise NotAsked("the family of the address is the question, and the module writes that of the socket")
        if self.form not in ("exact", "sizeof") and length != OFFSET + len(self.path):
            raise NotAsked("the length of the address is the question, and the module computes it")
        if length > OFFSET and self.path[:1] in (b"", b"\0"):
            return self.path.ljust(length - OFFSET, b"\0")
        path = self.path[:-1] if self.path[-1:] == b"\0" else self.path
        return os.fsdecode(path)


def read_steps(text):
    while text:
        step = Step(text)
        yield step
        text = step.rest[2:]


def read_cases(lines):
    """Returns the id and the calls of each case. "for 0..112 ID ..." is a case for each number."""
    for line in lines:
        line = line.rstrip("\n")
        numbers = re.match(r"for (\d+)\.\.(\d+) ", line)
        if not line or line.startswith("#"):
            continue
        cases = [line]
        if numbers:
            case = line[numbers.end():]
            cases = [case.replace("$n", str(n)) for n in range(int(numbers[1]), int(numbers[2]) + 1)]
        for case in cases:
            yield case.split(" ", 1)


# 2. Make the calls.


class Lane:
    def __init__(self):
        self.sockets = {}
        self.given = None

    def socket(self, letter):
        if letter not in self.sockets:
            self.sockets[letter] = new_socket(KIND)
        return self.sockets[letter]

    def ask_with_address(self, step):
        call = getattr(self.socket(step.letter), step.call)
        if not step.source:
            return f"{step.show()} = {outcome(call, step.name())}"
        # The length of the address that getsockname returned is not the program's concern.
        address = self.socket(step.source).getsockname()
        reported = {str: 1, bytes: 0}[type(address)] * bool(address) + OFFSET + len(os.fsencode(address))
        return f"{step.show(reported)} = {outcome(call, address)}"

    def answer(self, step):
        """Returns the address with which a call answers."""
        asked = self.socket(step.letter)
        if step.call == "accept":
            self.sockets["a"], address = asked.accept()
            self.sockets["a"].setblocking(False)
            return address
        return asked.recvfrom(1)[1] if step.call == "recvfrom" else getattr(asked, step.call)()

    def ask_for_address(self, step):
        if step.form:
            raise NotAsked("the size of the buffer is the question, and the module chooses it")
        found = []
        told = outcome(lambda: found.append(self.answer(step)))
        if not found:
            return f"{step.show()} = {told}"
        if isinstance(found[0], bytes) and GIVEN.fullmatch(found[0]):
            same = "the same " if self.given == found[0] else ""
            self.given = found[0]
            return f'{step.show()} = b"\\0" + {same}5 hex digits'
        return f"{step.show()} = {show_address(found[0])}"

    def ask_plainly(self, step):
        return f"{step.show()} = {outcome(self.plainly, step)}"

    def plainly(self, step):
        if step.call == "listen":
            self.socket(step.letter).listen(8)
        elif step.call == "send":
            self.socket(step.letter).send(b"x")
        elif step.call == "close":
            self.sockets.pop(step.letter).close()
        elif step.call == "socketpair":
            for letter, made in zip("pq", socket.socketpair(socket.AF_UNIX, KIND)):
                made.setblocking(False)
                self.sockets[letter] = made
        else:
            getattr(os, step.call)(step.path)


# 3. Remove the files: prints the exact names of the sockets in the directory, and removes them.


def show_and_remove_files():
    names = sorted(name for name in os.listdir(b".") if stat.S_ISSOCK(os.lstat(name).st_mode))
    for name in names:
        os.unlink(name)
    return " ".join(["file", *map(show_bytes, names)] if names else ["no file"])


# 4. Run the cases.


def run_case(text):
    lane, lines = Lane(), []
    try:
        for step in read_steps(text):
            if step.call in ("bind", "connect"):
                lines.append(lane.ask_with_address(step))
            elif step.call in ("accept", "getpeername", "getsockname", "recvfrom"):
                lines.append(lane.ask_for_address(step))
            else:
                lines.append(lane.ask_plainly(step))
    except NotAsked as reason:
        lines = None
        told = f"not asked: {reason}"
    for made in lane.sockets.values():
        made.close()
    files = show_and_remove_files()
    return "; ".join([*lines, files]) if lines else told


def main(_):
    for case, text in read_cases(sys.stdin):
        print(f"{case}\t{run_case(text)}")
