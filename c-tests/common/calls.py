"""Makes the calls of a line of C with Python's socket module, and returns the line that Python gives.

A suite whose cases are functions has no table of calls, but the line that C printed is one: it names
every call. The program takes the calls from that line and drops the answers, then makes each call and
writes the answer that it gets. A case with a call that the module does not have is not asked, and its line
has the reason. A table of each suite has the facts that the line lacks, such as the type of a socket."""

import mmap
import os
import re
import resource
import select
import socket
import stat
import time

from words import new_socket, outcome, read_bytes, show_address, show_path

KINDS = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}
FLAGS = {name: getattr(os, name) for name in ("O_RDONLY", "O_RDWR", "O_PATH", "O_DIRECTORY", "O_NOFOLLOW")}
NOBODY = 65534
# The seconds of a timeout that must not pass before the call returns.
PATIENCE = 20

WRITTEN = "the case tests a function of its own program, such as one that replaces a stale file"
# The calls that are not asked, by the first pattern that the calls of a case contain, with the reasons.
NOT_ASKED = [
    (r"sizeof\(|offsetof\(|read\(\d", "a program in Python never sees struct sockaddr_un"),
    (r"\baddress\(", "the module has no function that makes an address: bind and connect make it"),
    (r"\b(replace|take_over|serve|release|forget|probe|bind_with_mode)\(", WRITTEN),
    (r"\b(listener|stream|datagram)\(", WRITTEN),
    (r"renameat2\(", "the standard library has no renameat2"),
    (r"unshare\(", "the function os.unshare exists only since Python 3.12, and this lane runs on 3.9 too"),
    (r"read\(watch\)", "the standard library has no inotify"),
]

# 1. Read a line: the calls without their answers.


class Call:
    """One call of a line: its text, the process or thing that it is about, its name and its arguments."""

    def __init__(self, text):
        # Only this is kept of the answer: how often the call is made, and whether new descriptors are
        # counted.
        text, _, answer = text.partition(" = ")
        times = re.search(r", (\d+) times$", answer)
        self.times = int(times[1]) if times else 1
        self.is_counted = ", opened " in answer
        part = re.match(r"([a-z ]+): (?!\")", text)
        self.part = part[1] if part and part[1] != "names" else None
        self.text = text[part.end():] if self.part else text
        self.name, _, rest = self.text.partition("(")
        if self.name.startswith("names"):
            self.name, self.text, rest = "no names", "no names", ""
        self.arguments = []
        while rest and not rest.startswith(")"):
            if rest[0] == '"':
                argument, rest = read_bytes(rest)
            else:
                argument, rest = re.match(r"([^,)]*)(.*)", rest, re.S).groups()
            self.arguments.append(argument)
            rest = rest[2:] if rest.startswith(", ") else rest


def read_calls(line):
    return [Call(text) for text in line.split("; ")]


# 2. Make long paths: no call takes all of a long path, so each component is made below the one before.


def long_directory(size):
    path = "".join("/" if at % 128 == 127 else "d" for at in range(size))
    directory = os.open(".", os.O_PATH)
    for component in path.split("/"):
        os.mkdir(component, dir_fd=directory)
        below = os.open(component, os.O_PATH, dir_fd=directory)
        os.close(directory)
        directory = below
    os.close(directory)
    return path


def path_of(argument, directory):
    """Returns the path of an argument. A path that the line prints as <4000 bytes> is in the long
    directory."""
    if isinstance(argument, bytes):
        return os.fsdecode(argument)
    size = int(re.fullmatch(r"<(\d+) bytes>", argument)[1])
    return directory if size == len(directory) else f"{directory}/s.sock"


# 3. Make the calls.


class Lane:
    def __init__(self, kinds, calls):
        self.kinds, self.calls, self.sockets, self.files, self.line = kinds, calls, {}, [], ""
        self.number = self.truncated = self.child = self.gate = self.limits = None
        texts = "; ".join(call.text for call in calls)
        size = re.search(r'<(\d+) bytes>, O_PATH', texts)
        size = int(size[1]) if size else 254 * ("d{127}/d{126}" in texts)
        self.directory = long_directory(size) if size else ""

    def close(self):
        self.allow_usual()
        for made in self.sockets.values():
            made.close()
        for file in self.files:
            os.close(file)

    def socket(self, letter, part=None):
        if letter not in self.sockets and letter in "pq":
            self.sockets["p"], self.sockets["q"] = socket.socketpair()
        if letter not in self.sockets:
            self.sockets[letter] = new_socket(KINDS[part if part in KINDS else self.kinds.get(letter, "stream")])
        return self.sockets[letter]

    def alias(self):
        """Returns N of /proc/self/fd/N: the last file that was opened, or else the socket itself."""
        return str(self.files[-1] if self.files else self.socket("s").fileno())

    def path(self, call, at):
        path = path_of(call.arguments[at], self.directory)
        return path.replace("/proc/self/fd/N", "/proc/self/fd/" + self.alias())

    def socket_path(self, call):
        """Returns the path or name of a socket. An abstract name is bytes."""
        argument = call.arguments[1]
        if argument == "NULL":
            return None
        return argument if argument[:1] == b"\0" else self.path(call, 1)

    def step(self, call, answer, text=None):
        separator = "; " if self.line and not self.line.endswith(": ") else ""
        part = f"{call.part}: " if call.part else ""
        self.line += separator + part + (text or call.text) + (f" = {answer}" if answer else "")

    def make(self, call):
        """Makes a call, and adds it to the line."""
        name = call.name if "(" in call.text else re.match(r"\w+", call.name)[0]
        if not call.is_counted:
            self.allow_usual()
        before = open_descriptors()
        getattr(self, f"do_{name}")(call)
        if call.is_counted:
            self.line += f", opened {open_descriptors() - before}"

    # Sockets.

    def do_bind(self, call):
        letter, path = call.arguments[0], self.socket_path(call)
        if self.truncated:
            # C truncates the path before the call. Python takes the path as it is.
            path, self.truncated = self.truncated, None
            return self.step(call, outcome(self.socket(letter).bind, path), f"bind({letter}, {show_path(path)})")
        if letter == "-1":
            closed = new_socket(socket.SOCK_STREAM)
            closed.close()
            return self.step(call, outcome(closed.bind, path))
        if letter == "file":
            answer = outcome(lambda: socket.socket(fileno=self.files[-1]).detach())
            return self.step(call, answer, "socket.socket(fileno=file)")
        self.step(call, outcome(self.socket(letter, call.part).bind, path))

    def do_strncpy(self, call):
        self.truncated = self.path(call, 1)

    def do_connect(self, call):
        letter, path = call.arguments[0], self.socket_path(call)
        if call.times > 1:
            answers = set()
            for _ in range(call.times):
                with new_socket(KINDS[self.kinds.get(letter, "stream")]) as made:
                    answers.add(outcome(made.connect, path))
            return self.step(call, f"{', '.join(sorted(answers))}, {call.times} times")
        began = time.monotonic()
        answer = outcome(self.socket(letter, call.part).connect, path)
        # Whether a socket with a timeout has waited.
        if self.socket(letter).gettimeout() and answer != "ok":
            answer += ", at once" if time.monotonic() - began < PATIENCE / 2 else ", after the timeout"
        self.step(call, answer)

    def do_listen(self, call):
        backlog = int(call.arguments[1]) if call.arguments[1:] else 8
        self.step(call, outcome(self.socket(call.arguments[0]).listen, backlog))

    def do_accept(self, call):
        # The line does not name the new socket. The calls that follow do: a, and then b.
        letter = "a" if "a" not in self.sockets else "b"

        def accept():
            self.sockets[letter] = self.socket(call.arguments[0]).accept()[0]
            self.sockets[letter].setblocking(False)
        self.step(call, outcome(accept))

    def do_close(self, call):
        if self.child is None and any(later.text == "exit" for later in self.calls):
            # A child has all sockets too, and keeps them until it exits.
            reading, self.gate = os.pipe()
            self.child = os.fork()
            if self.child == 0:
                os.close(self.gate)
                os.read(reading, 1)
                os._exit(0)
            os.close(reading)
        self.sockets.pop(call.arguments[0]).close()
        self.step(call, "")

    def do_exit(self, call):
        os.close(self.gate)
        os.waitpid(self.child, 0)
        self.step(call, "")

    def do_socketpair(self, call):
        def pair():
            self.sockets["p"], self.sockets["q"] = socket.socketpair()
        self.step(call, outcome(pair))

    def do_dup(self, call):
        self.step(call, outcome(lambda: self.socket(call.arguments[0]).dup().close()))

    def ask(self, call, words):
        answer = []
        told = outcome(lambda: answer.append(words()))
        self.step(call, answer[0] if answer else told)

    def do_getsockname(self, call):
        self.ask(call, lambda: self.shown(self.socket(call.arguments[0]).getsockname()))

    def do_getpeername(self, call):
        self.ask(call, lambda: self.shown(self.socket(call.arguments[0]).getpeername()))

    def shown(self, address):
        if isinstance(address, bytes) and re.fullmatch(rb"\0[0-9a-f]{5}", address):
            return 'b"\\0" + 5 hex digits'
        return show_address(address)

    def do_send(self, call):
        self.ask(call, lambda: self.socket(call.arguments[0]).send(call.arguments[1]))

    def do_sendto(self, call):
        self.ask(call, lambda: self.socket(call.arguments[0]).sendto(call.arguments[1], os.fsdecode(call.arguments[2])))

    def do_recv(self, call):
        self.ask(call, lambda: len(self.socket(call.arguments[0]).recv(int(call.arguments[1]))))

    def do_recvfrom(self, call):
        def recvfrom():
            data, sender = self.socket(call.arguments[0]).recvfrom(1)
            return f"{len(data)}, from {show_address(sender)}"
        self.ask(call, recvfrom)

    def do_shutdown(self, call):
        self.step(call, outcome(self.socket(call.arguments[0]).shutdown, getattr(socket, call.arguments[1])))

    def do_setsockopt(self, call):
        letter, option, value = call.arguments
        if value.endswith(" ms"):
            # A program in Python gives a socket a timeout in this way.
            self.step(call, outcome(self.socket(letter).settimeout, PATIENCE), f"settimeout({letter}, {PATIENCE})")
            return
        self.step(call, outcome(self.socket(letter).setsockopt, socket.SOL_SOCKET, getattr(socket, option), int(value)))

    def do_poll(self, call):
        events = select.POLLIN | select.POLLPRI | select.POLLOUT | select.POLLRDHUP
        poll = select.poll()
        poll.register(self.socket(call.arguments[0]), events)
        found = dict(poll.poll(0)).values()
        names = [name for name in ("IN", "PRI", "OUT", "ERR", "HUP", "RDHUP")
                 for events in found if events & getattr(select, "POLL" + name)]
        self.step(call, "|".join(names) or "none")

    # Files.

    def do_creat(self, call):
        self.step(call, outcome(lambda: os.close(os.open(self.path(call, 0), os.O_CREAT | os.O_EXCL | os.O_WRONLY))))

    def do_open(self, call):
        flags = sum(FLAGS[name] for name in call.arguments[1].split(" | "))

        def opened():
            self.files.append(os.open(self.path(call, 0), flags))
        self.step(call, outcome(opened))

    def do_openat(self, call):
        directory = os.open(".", os.O_PATH)
        for component in self.directory.split("/"):
            below = os.open(component, os.O_PATH, dir_fd=directory)
            os.close(directory)
            directory = below
        self.files.append(directory)
        self.step(call, "ok")

    def file_call(self, call, function):
        """Calls a function whose arguments are the paths of the call."""
        self.step(call, outcome(function, *(self.path(call, at) for at in range(len(call.arguments)))))

    def do_mkdir(self, call):
        self.file_call(call, os.mkdir)

    def do_mkfifo(self, call):
        self.file_call(call, os.mkfifo)

    def do_mknod(self, call):
        self.step(call, outcome(os.mknod, self.path(call, 0), stat.S_IFSOCK | 0o666))

    def do_symlink(self, call):
        self.file_call(call, os.symlink)

    def do_link(self, call):
        self.file_call(call, os.link)

    def do_rename(self, call):
        self.file_call(call, os.rename)

    def do_unlink(self, call):
        status = os.lstat(self.path(call, 0))
        self.number = status.st_ino
        self.file_call(call, os.unlink)

    def do_truncate(self, call):
        self.step(call, outcome(os.truncate, self.path(call, 0), 0))

    def do_chmod(self, call):
        self.step(call, outcome(os.chmod, self.path(call, 0), int(call.arguments[1], 8)))

    def do_fchmod(self, call):
        self.step(call, outcome(os.fchmod, self.socket(call.arguments[0]).fileno(), int(call.arguments[1], 8)))

    def do_umask(self, call):
        os.umask(int(call.arguments[0], 8))
        self.step(call, "")

    def do_lstat(self, call):
        def kind():
            mode = os.lstat(self.path(call, 0)).st_mode
            tests = [(stat.S_ISSOCK, "socket"), (stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"),
                     (stat.S_ISFIFO, "FIFO"), (stat.S_ISLNK, "symbolic link")]
            return next(name for test, name in tests if test(mode))
        self.ask(call, kind)

    def do_mode(self, call):
        path = self.path(call, 0)
        self.ask(call, lambda: "%04o" % stat.S_IMODE(os.lstat(path).st_mode))
        if any(later.name == "bind" and later.arguments == ["s", os.fsencode(path)] for later in self.calls):
            # The next socket of this name is a new socket.
            self.sockets.pop("s").close()
            os.unlink(path)

    def do_st_ino(self, call):
        same = os.lstat("x").st_ino == self.number
        self.step(call, "the same" if same else "another")

    def do_readlink(self, call):
        target, here = os.readlink(self.path(call, 0)), os.getcwd()
        inside = target.startswith(here)
        self.step(call, f"getcwd() + {show_path(target[len(here):])}" if inside else "elsewhere")

    def do_no(self, call):
        names = sorted(os.listdir("."))
        self.step(call, "", "names: " + " ".join(map(show_path, names)) if names else "no names")

    # A socket as a file.

    def do_lseek(self, call):
        self.ask(call, lambda: os.lseek(self.socket(call.arguments[0]).fileno(), 0, os.SEEK_CUR))

    def do_pread(self, call):
        self.ask(call, lambda: len(os.pread(self.socket(call.arguments[0]).fileno(), 1, 0)))

    def do_ftruncate(self, call):
        self.step(call, outcome(os.ftruncate, self.socket(call.arguments[0]).fileno(), 0))

    def do_mmap(self, call):
        fd = self.socket(call.arguments[0]).fileno()
        self.step(call, outcome(lambda: mmap.mmap(fd, 1, mmap.MAP_SHARED, mmap.PROT_READ)))


    # The limit of descriptors.

    def do_RLIMIT_NOFILE(self, call):
        self.allow_usual()
        self.limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + int(re.search(r"\d+", call.text)[0]), self.limits[1]))
        self.step(call, "")

    def allow_usual(self):
        if self.limits:
            resource.setrlimit(resource.RLIMIT_NOFILE, self.limits)
            self.limits = None


def open_descriptors():
    """Returns how many descriptors are open. A case opens few, so all of them are small numbers."""
    def is_open(fd):
        try:
            return bool(os.fstat(fd))
        except OSError:
            return False
    return sum(map(is_open, range(64)))


# 4. Run a case.


def start_child(run):
    """Runs a function in a child. Returns the child, and the file from which its text is read."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        number = 1
        try:
            os.write(writing, run().encode())
            number = 0
        finally:
            os._exit(number)
    os.close(writing)
    return child, open(reading)


def end_child(child, pipe):
    """Returns the text of a child."""
    with pipe:
        text = pipe.read()
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f"a child failed: {text}")
    return text


def wait_asleep(child):
    """Waits until a child sleeps. A child sleeps only in the call under test."""
    while True:
        with open(f"/proc/{child}/stat") as status:
            if status.read().rsplit(") ", 1)[1].startswith("S"):
                return
        os.sched_yield()


def drop_privileges():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def may_drop():
    """Returns whether this process may become another user."""
    def try_it():
        try:
            drop_privileges()
        except OSError:
            return "no"
        return "yes"
    return end_child(*start_child(try_it)) == "yes"


def run_calls(line, kinds, setup):
    """Returns Python's line for a line of C."""
    for pattern, reason in NOT_ASKED:
        if re.search(pattern, line):
            return f"not asked: {reason}"
    calls = read_calls(line)
    lane = Lane(kinds, calls)
    sizes = iter(setup.get("parts", []))
    for letter in setup.get("made", ""):
        lane.socket(letter)
    if "owner" in setup:
        os.chown(".", NOBODY, NOBODY)

    def in_part(part, begin):
        """Makes the calls of a child, which begin a new line."""
        def run():
            lane.line = ""
            begin()
            for call in part:
                lane.make(call)
            return lane.line
        return run

    while calls:
        if calls[0].part == "another user":
            size = next(sizes, 1)
            part = calls[:size]
            del calls[:size]
            lane.line += ("; " if lane.line else "") + end_child(*start_child(in_part(part, drop_privileges)))
        elif calls[1:] and calls[1].part == "child" and calls[1].name == "connect":
            # The child sleeps in connect before the call that comes first in the line.
            first, *part = calls
            calls.clear()

            def begin():
                for made in lane.sockets.values():
                    made.close()
                lane.sockets.clear()
                lane.socket(part[0].arguments[0]).setblocking(True)
            child = start_child(in_part(part, begin))
            wait_asleep(child[0])
            lane.make(first)
            lane.line += "; " + end_child(*child)
        else:
            lane.make(calls.pop(0))
    lane.close()
    return lane.line


def run_suite(folder, ids, kinds_of, not_asked, setups):
    """Runs the cases of a suite. The line of a case of `not_asked` does not show what the case does."""
    needs = dict(re.findall(r"^CASE\((\w+, \w+), (\w+),", (folder / "cases.def").read_text(), re.M))
    needs = {case.replace(", ", "."): need for case, need in needs.items()}
    for line in (folder / "transcript.txt").read_text().splitlines():
        case, tab, line = line.partition("\t")
        if not tab or case not in needs or ids and case not in ids and case.split(".")[0] not in ids:
            continue
        os.mkdir(case)
        os.chdir(case)
        if case in not_asked:
            told = f"not asked: {not_asked[case]}"
        elif needs[case] == "ROOT" and not may_drop():
            told = "not run: needs root"
        else:
            kinds = kinds_of.get(case) or kinds_of.get(case.split(".")[0], {})
            told = run_calls(line, kinds, setups.get(case, {}))
        os.umask(0o022)
        os.chdir("..")
        print(f"{case}\t{told}")
