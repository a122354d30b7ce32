#!/usr/bin/env python3
"""Changes the library in small ways, one at a time, and checks that the tests notice each change.

    python3 .ci/mutants.py                  all files of WHERE
    python3 .ci/mutants.py src/files/dir    only the files whose names begin with this, in the given order
    python3 .ci/mutants.py --again          without the changes that the last run has noticed, even if
                                            that run was interrupted
    python3 .ci/mutants.py --argued         including the changes that .ci/mutants.txt lists; with --again,
                                            these and the ones that are open
    python3 .ci/mutants.py --with=lib,dir   only with these test programs, which is quicker, and leaves
                                            changes open for --again

It needs Linux, cargo-mutants, which lists the changes (cargo install cargo-mutants --locked), and root,
because the tests ask which user owns a file. A change that no test notices fails the run, unless
.ci/mutants.txt lists it with the reason why no test can notice it. A change of that list is not tried
by default, because it would meet every test that reaches it. Two changes are tried at a time.

All changes are compiled at once, because compiling them one by one takes hours. In a copy of the tree,
the body of each function becomes a match with one arm for each changed body and one arm for the original
body. An environment variable selects the arm. Arms that the compiler rejects are removed. Then each test
runs alone and without a change, and records in a shared page which functions it reaches. A change meets
only the tests that reach its function, and the quickest test comes first. A test has to fail twice to
count, because on a busy machine a test can fail for another reason.

A change in a const item, or in a const fn that a const item calls, cannot be selected when the program
runs. It is compiled alone and meets the tests that reach any function of its file.

The outcome of each change is in target/mutants/outcomes.txt, with the test that noticed it.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
WHERE = ["src/files", "src/activation", "src/serve", "src/syscall", "src/control"]
LEFT_OUT = {"rules", "systems", "lints", "coming_from_std"}  # these tests read or compile sources
SLOWEST = 3  # CPU seconds; longer tests are random programs and many processes at once
AT_ONCE = 2  # changes that are tried at a time
OUT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")) / "mutants"
TREE = OUT / "tree"
OUTCOMES = OUT / "outcomes.txt"

# This is a module of the changed library. Each function with changes first calls `at`, which returns the
# selected change and records the call.
CHOICE = r"""//! Which change is selected, and which functions were reached.
extern crate std;
use core::ffi::{c_int, c_long, c_void};
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering::Relaxed};
use std::os::fd::AsRawFd;

static CHOSEN: AtomicU32 = AtomicU32::new(0);
static REACHED: AtomicPtr<AtomicU8> = AtomicPtr::new(core::ptr::null_mut());

unsafe extern "C" {
    fn mmap(at: *mut c_void, len: usize, access: c_int, flags: c_int, fd: c_int, from: c_long) -> *mut c_void;
}

pub(crate) fn at(function: usize) -> u32 {
    let reached = REACHED.load(Relaxed);
    if !reached.is_null() {
        unsafe { (*reached.add(function)).store(1, Relaxed) }
    }
    CHOSEN.load(Relaxed)
}

/// Runs before main, so no test sees the file that it opens, and forked children share the page.
extern "C" fn begin() {
    if let Some(chosen) = std::env::var("MUTANT").ok().and_then(|id| id.parse().ok()) {
        CHOSEN.store(chosen, Relaxed);
    }
    let Some(file) = std::env::var_os("MUTANTS_REACHED") else { return };
    let Ok(file) = std::fs::OpenOptions::new().read(true).write(true).open(file) else { return };
    let len = file.metadata().map_or(0, |data| data.len() as usize);
    let page = unsafe { mmap(core::ptr::null_mut(), len, 3, 1, file.as_raw_fd(), 0) };
    REACHED.store(page.cast(), Relaxed);
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;
"""


def run(*command, **more):
    """Runs a program, and returns what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, **more)
    return done.returncode, done.stdout


class Mutant:
    """One change of one file, as cargo-mutants lists it."""

    def __init__(self, number, listed, text):
        lines = [0]
        for line in text.split("\n"):
            lines.append(lines[-1] + len(line) + 1)

        def offsets(span):
            return tuple(lines[at["line"] - 1] + at["column"] - 1 for at in (span["start"], span["end"]))

        self.id = number
        self.file = listed["file"]
        self.place = listed["name"]
        self.name = re.sub(r":\d+:\d+: ", ": ", listed["name"], count=1)
        self.start, self.end = offsets(listed["span"])
        self.new = listed["replacement"]
        self.function = offsets(listed["function"]["span"]) if listed["function"] else None

    def apply(self, text, first=0):
        """Returns the text with the change. `text` is the part of the file that begins at offset `first`."""
        return text[: self.start - first] + self.new + text[self.end - first :]


def blank(text):
    """Returns the text with spaces in place of comments, strings and characters."""
    pattern = r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\[^\n]+?|[^\\'\n])'"""
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S)


def body(text, function):
    """Returns where the body of a function begins and ends, without its braces."""
    code, depth = blank(text), 0
    for at in range(function[1] - 1, function[0], -1):
        depth += {"}": 1, "{": -1}.get(code[at], 0)
        if depth == 0:
            return at + 1, function[1] - 1
    raise ValueError(text[slice(*function)])


class Copy:
    """The copy of the tree, with all changes that can be selected when a program runs."""

    def __init__(self, mutants, texts):
        self.mutants, self.texts = mutants, texts
        self.unviable = set()  # changes that do not compile
        self.const = set()  # names of functions that must stay const
        self.alone = set()  # changes that cannot be selected when a program runs
        self.function_of = {}  # change -> the first change of its function, which stands for it
        self.reached_in = collections.defaultdict(set)  # file -> the first changes of its functions

    def write(self, marked=False):
        """Writes the changed sources. With `marked`, each function makes the compiler report that it sees it."""
        self.alone.clear()
        for file, text in self.texts.items():
            mine = [mutant for mutant in self.mutants if mutant.file == file]
            self.alone |= {mutant.id for mutant in mine if not mutant.function}
            outermost, functions = (0, 0), collections.defaultdict(list)
            for mutant in sorted((m for m in mine if m.function), key=lambda m: m.function):
                if mutant.function[1] > outermost[1]:
                    outermost = mutant.function
                functions[outermost].append(mutant)
            for function in sorted(functions, reverse=True):
                begin, end = body(text, function)
                head, old = text[function[0] : begin], text[begin:end]
                const = re.search(r"\bconst fn (\w+)", blank(head))
                if (const and const[1] in self.const) or re.search(r"->.*\bimpl\b", blank(head)):
                    self.alone |= {mutant.id for mutant in functions[function]}
                    continue
                first = functions[function][0].id
                new = f"match crate::mutants::at({first}) {{\n"
                for mutant in functions[function]:
                    self.function_of[mutant.id] = first
                    self.reached_in[file].add(first)
                    if mutant.id not in self.unviable:
                        new += f"{mutant.id} => {{ // arm\n{mutant.apply(old, begin)}\n}}\n"
                new += f"_ => {{ // arm\n{old}\n}}\n}}"
                if marked:
                    new = f'compile_error!("function {first}");'
                head = head if not const else head[: const.start()] + head[const.start() + 6 :]
                text = text[: function[0]] + head + new + text[end:]
            path = TREE / file
            if path.read_text() != text:
                path.write_text(text)

    def restore(self):
        """Writes the sources without any change."""
        for file, text in self.texts.items():
            (TREE / file).write_text(text)

    def arm(self, span):
        """Returns the change whose arm contains a place that the compiler reports."""
        if span["file_name"] not in self.texts:
            return None
        lines = (TREE / span["file_name"]).read_text().splitlines()[: span["line_start"]]
        for line in reversed(lines):
            if line.endswith("=> { // arm"):
                return int(line.split()[0]) if line[0] != "_" else None
        return None

    def compile(self, programs):
        """Removes changes that do not compile, until the rest compiles. Returns those in code for other systems."""
        self.write(marked=True)
        seen = " ".join(error["message"] for error in errors("check", "--lib"))
        seen = {int(first) for first in re.findall(r"function (\d+)", seen)}
        for command in (["check", "--lib"], ["test", "--no-run", *chosen(programs)]):
            self.write()
            while found := errors(*command):
                bad = {self.arm(span) for error in found for span in error["spans"]} - {None}
                messages = "\n".join(error["message"] for error in found)
                const = set(re.findall(r"non-const .*`(?:.*::)?(\w+)(?:::<.*>)?` in", messages)) - self.const
                if not bad | const:
                    sys.exit("\n".join(error["rendered"] for error in found))
                self.unviable |= bad
                self.const |= const
                self.write()
        elsewhere = {id for id, first in self.function_of.items() if first not in seen}
        return elsewhere - self.alone


def cargo(*arguments):
    """Runs cargo in the copy, and returns its messages and whether it succeeded."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(OUT / "build"), RUSTFLAGS="--cap-lints=allow")
    environment.update(CARGO_PROFILE_DEV_DEBUG="0", CARGO_PROFILE_TEST_DEBUG="0", CARGO_INCREMENTAL="0")
    command = ["cargo", arguments[0], "-p", "sunpath", "--message-format=json", *arguments[1:]]
    status, printed = run(*command, cwd=TREE, env=environment, stderr=subprocess.DEVNULL)
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")], status == 0


def errors(*arguments):
    """Returns the errors that the compiler reports for a cargo command."""
    messages, _ = cargo(*arguments)
    messages = [message["message"] for message in messages if message["reason"] == "compiler-message"]
    return [message for message in messages if message["level"] == "error" and message["spans"]]


def chosen(programs):
    """Returns the arguments by which cargo builds only these test programs, or all if there are none."""
    return [f"--test={name}" if name != "lib" else "--lib" for name in programs]


def build(names):
    """Builds test programs, and returns them by name, or None. The library's own tests are `lib`."""
    messages, built = cargo("test", "--no-run", *chosen(names))
    if not built:
        return None
    programs = {}
    for message in messages:
        if message["reason"] == "compiler-artifact" and message["executable"] and message["profile"]["test"]:
            target = message["target"]
            programs["lib" if "lib" in target["kind"] else target["name"]] = message["executable"]
    return programs


Test = collections.namedtuple("Test", "seconds wall program path name reached")


class Tests:
    """The tests, how long each takes, and which functions it reaches."""

    def __init__(self, mutants, programs):
        self.directory = tempfile.mkdtemp(prefix="sunpath.")
        os.chmod(self.directory, 0o1777)
        self.all, self.useful = [], collections.defaultdict(list)
        page = pathlib.Path(self.directory) / "reached"
        for program, path in sorted(build(programs).items()):
            names = run(path, "--list", "--format=terse", cwd=TREE)[1] if program not in LEFT_OUT else ""
            for name in re.findall(r"^(.*): test$", names, re.M):
                page.write_bytes(bytes(max(mutant.id for mutant in mutants) + 1))
                page.chmod(0o666)
                begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
                good = self.run(path, name, 120, MUTANTS_REACHED=str(page))
                wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
                seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                reached = {function for function, byte in enumerate(page.read_bytes()) if byte}
                if not good and seconds < SLOWEST:
                    print(f"left out, because it fails without a change: {program} {name}", flush=True)
                elif good and reached and seconds < SLOWEST:
                    self.all.append(Test(seconds, wall, program, path, name, reached))
        self.all.sort()

    def run(self, path, name, limit, **more):
        """Returns whether a test succeeds within the limit, and kills every process that it has left."""
        place = tempfile.mkdtemp(dir=self.directory)
        os.chmod(place, 0o1777)
        environment = dict(os.environ, TMPDIR=place, **more)
        child = subprocess.Popen([path, name, "--exact", "--test-threads=1"], cwd=TREE, env=environment,
                                 start_new_session=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            # No test that is used takes that long.
            resource.prlimit(child.pid, resource.RLIMIT_CPU, (SLOWEST + 1, SLOWEST + 1))
            status = child.wait(limit)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            status = child.poll()
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        shutil.rmtree(place, ignore_errors=True)
        return status == 0

    def fails(self, test, **more):
        """Returns whether a test fails twice in a row."""
        return not any(self.run(test.path, test.name, 20 + 20 * test.wall, **more) for _ in range(2))

    def notice(self, mutant, function):
        """Returns the test that notices a change, if one does."""
        # A test that noticed another change of the function comes first.
        for test in [*self.useful[function], *self.all]:
            if function in test.reached and self.fails(test, MUTANT=str(mutant.id)):
                if test not in self.useful[function]:
                    self.useful[function].append(test)
                return f"{test.program} {test.name}"
        return None

    def notice_alone(self, mutant, functions):
        """Returns the test that notices a change that is compiled alone, in place of the others."""
        # In a file without functions, every test may see the change.
        tests = [test for test in self.all if not functions or functions & test.reached]
        file = TREE / mutant.file
        file.write_text(mutant.apply(file.read_text()))
        if errors("check", "--lib"):
            return "the compiler"
        for program in dict.fromkeys(test.program for test in tests):
            built = build([program])
            if not built:
                return f"the compiler, in {program}"
            for test in tests:
                if test.program == program and self.fails(test._replace(path=built[program])):
                    return f"{program} {test.name}"
        return None


def listed(where):
    """Returns the changes of the files whose names begin with an item of `where`, in the order of the items,
    and the texts of the files."""
    files = [option for begin in where for option in (f"-f={begin}*", f"-f={begin}/**")]
    status, printed = run("cargo", "mutants", "--list", "--json", "-p", "sunpath", *files, cwd=TOP)
    if status:
        sys.exit("cargo mutants cannot list the changes")
    item = lambda change: next(i for i, begin in enumerate(where) if change["file"].startswith(begin))
    changes = sorted(json.loads(printed), key=item)
    texts = {change["file"]: (TOP / change["file"]).read_text() for change in changes}
    return [Mutant(id, change, texts[change["file"]]) for id, change in enumerate(changes, 1)], texts


def copy_tree():
    """Copies the tree without the files that git ignores, and adds the module CHOICE."""
    shutil.rmtree(TREE, ignore_errors=True)
    for file in run("git", "ls-files", "-co", "--exclude-standard", cwd=TOP)[1].splitlines():
        (TREE / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / file, TREE / file, follow_symlinks=False)
    (TREE / "src/mutants.rs").write_text(CHOICE)
    lib = TREE / "src/lib.rs"
    lib.write_text(lib.read_text().replace("pub mod error;", "mod mutants;\npub mod error;", 1))


def main():
    words = sys.argv[1:]
    programs = [name for word in words if word.startswith("--with=") for name in word[7:].split(",")]
    where = [word for word in words if not word.startswith("--")] or WHERE
    if os.geteuid() != 0:
        sys.exit("needs root, because the tests ask which user owns a file")
    OUT.mkdir(parents=True, exist_ok=True)
    mutants, texts = listed(where)
    # A name has as many lines as there are changes with that name, because a function may have several.
    argued = re.findall(r"^(src/.*?) +# .+$", (TOP / ".ci/mutants.txt").read_text(), re.M)
    argued = collections.Counter(name for name in argued if name.startswith(tuple(where)))
    named = collections.Counter(mutant.name for mutant in mutants)
    again = {"missed", "argued"} if "--argued" in words else {"missed"}
    kept = []  # lines of the last run that stay valid
    if "--again" in words and OUTCOMES.exists():
        kept = [line.split("\t") for line in OUTCOMES.read_text().splitlines()]
        done = collections.Counter(line[1] for line in kept if line[0] not in again)
        mutants = [mutant for mutant in mutants if done[mutant.name] < named[mutant.name]]
        open_names = {mutant.name for mutant in mutants}
        kept = [line for line in kept if line[1] not in open_names]

    copy_tree()
    copy = Copy(mutants, texts)
    elsewhere = copy.compile(programs)
    tests = Tests(mutants, programs)
    seconds = sum(test.seconds for test in tests.all)
    print(f"{len(mutants)} changes, {len(tests.all)} tests that take {seconds:.0f} seconds", flush=True)

    def tried(mutant):
        """Returns the line about a change."""
        begin, by = time.monotonic(), None
        if mutant.id in copy.unviable:
            outcome = "does not compile"
        elif mutant.id in elsewhere:
            outcome = "not compiled here"
        elif argued[mutant.name] == named[mutant.name] and "--argued" not in words:
            outcome = "argued"
        else:
            if mutant.id in copy.alone:
                copy.restore()
                by = tests.notice_alone(mutant, copy.reached_in[mutant.file])
            else:
                by = tests.notice(mutant, copy.function_of[mutant.id])
            outcome = {None: "missed", "the compiler": "does not compile"}.get(by, "noticed")
        if outcome == "missed":
            print(f"missed: {mutant.place}", flush=True)
        return [outcome, mutant.name, mutant.place, by or "", f"{time.monotonic() - begin:.1f} s"]

    lines = []
    with open(OUTCOMES, "w") as file:
        for line in kept:
            print(*line, sep="\t", file=file, flush=True)
        for at_once in AT_ONCE, 1:  # changes that are compiled alone come last, and use one directory
            some = [mutant for mutant in mutants if (mutant.id in copy.alone) == (at_once == 1)]
            with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
                for line in pool.map(tried, some):
                    lines.append(line)
                    print(*line, sep="\t", file=file, flush=True)
    shutil.rmtree(tests.directory, ignore_errors=True)

    outcomes = collections.Counter(line[0] for line in [*kept, *lines] if line[1] in named)
    print(", ".join(f"{outcome}: {count}" for outcome, count in sorted(outcomes.items())))
    missed = collections.Counter(line[1] for line in lines if line[0] == "missed")
    faults = [f"no test notices: {name}" for name in (missed - argued).elements()]
    faults += [f"argued, but there is no such change: {name}" for name in (argued - named).elements()]
    if "--argued" in words:
        faults += [f"argued, but a test notices it: {name}" for name in ((argued & named) - missed).elements()]
    sys.exit("\n".join(faults) if faults else 0)


main()
