#!/usr/bin/env python3
"""Makes the man pages of include/sunpath.h: one for each section of the header, and sunpath(3).

    python3 crates/capi/man/generate.py

The header is the source of every sentence about a function. The examples are the programs in man/examples, which
the tests compile and run. A test makes the pages again and compares them.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
DATE = "November 30, 2026"

# The sections of the header, in its order. Each has the name of its page, and what the page is about.
PAGES = [
    ("Addresses", "sunpath_addr", "addresses of Unix domain sockets"),
    ("Errors", "sunpath_explain", "what the number of an error means"),
    ("Servers", "sunpath_bind", "sockets that are bound to a path, and their files"),
    ("Clients that connect", "sunpath_accept", "accept the connections of clients"),
    ("Connecting", "sunpath_connect", "connect to a server"),
    ("Descriptors and credentials", "sunpath_send_fd", "pass descriptors and credentials"),
    ("Who the peer is", "sunpath_peer_cred", "who is at the other end of a socket"),
    ("Directories", "sunpath_private_dir", "directories that nobody else can enter or change"),
    ("Whether a server is alive", "sunpath_probe", "ask whether a server is alive"),
    ("Sockets that a service manager passed", "sunpath_take_passed", "socket activation"),
]

ERRNO = r"E[A-Z0-9]+"
ERRNOS = re.compile(rf"(?:^|(?<=\. )|(?<=; ))({ERRNO}(?:, {ERRNO})*(?: and others)?): ")
REST = re.compile(r"(?:^|(?<=\. ))(?:All others|Errors): ")


def escape(text):
    text = text.replace("\\", "\\e")
    return "\\&" + text if text[:1] in (".", "'") else text


def paragraphs(comment):
    """Returns the paragraphs of a comment, each as its lines."""
    lines = [re.sub(r"^ ?\* ?", "", line).rstrip() for line in comment.strip().splitlines()]
    blocks, block = [], []
    for line in lines + [""]:
        if line:
            block.append(line)
        elif block:
            blocks.append(block)
            block = []
    return blocks


def written(block):
    """Returns a paragraph as mdoc. One that is indented is literal."""
    if block[0].startswith("    "):
        code = [escape(line[4:]) for line in block]
        return [".Bd -literal -offset indent", *code, ".Ed"]
    return sentences(" ".join(block))


def sentences(text):
    """Returns the text with one sentence a line, as mdoc wants it."""
    return [escape(line) for line in re.split(r'(?<=[.:]) (?=[A-Z0-9*`"])', text.strip()) if line]


def errors(text):
    """The errnos of a paragraph with what they mean, and what stands for all others."""
    marks = sorted([*ERRNOS.finditer(text), *REST.finditer(text)], key=lambda mark: mark.start())
    found = []
    for mark, after in zip(marks, [*marks[1:], None]):
        meaning = text[mark.end() : after.start() if after else len(text)].strip()
        names = mark.group(1).replace(" and others", "").split(", ") if mark.re is ERRNOS else []
        found.append((names, meaning))
    return found


class Function:
    def __init__(self, comment, prototype):
        self.text, self.errors, self.see = [], [], []
        flat = " ".join(prototype.split())
        head, arguments = re.match(r"(.*?)\((.*)\);$", flat).groups()
        self.type, self.name = re.match(r"(.*?[ *])(sunpath_\w+)$", head).groups()
        self.arguments = [] if arguments == "void" else arguments.split(", ")
        for block in paragraphs(comment):
            text = " ".join(block)
            see = re.search(r"(?:^| )See (.*)\.$", text)
            if see:
                self.see += re.findall(r"(\w+)\((\d)\)", see.group(1))
                text = text[: see.start()]
            if ERRNOS.match(text) or REST.match(text):
                self.errors += errors(text)
            elif text:
                self.text.append(written(block))


def items(body):
    """The comments of a section with the code after each."""
    for part in re.split(r"\n(?=/\*\n|/\* [A-Z])", body):
        match = re.match(r"/\*(.*?)\*/(.*)", part.strip(), re.S)
        if match:
            yield match.group(1), match.group(2).strip()


def page_of(title, page, about, body, others):
    intro_comment, rest = re.match(r"(.*?)\*/(.*)", body, re.S).groups()
    functions, literal = [], []
    first_code = rest.strip().split("\n\n")[0]
    for comment, code in items("\n" + rest):
        prototype = re.match(r"((?:[a-z_]\w* |\*)+\*?sunpath_\w+\([^;]*\);)", code, re.S)
        if prototype:
            functions.append(Function(comment, prototype.group(1)))
        else:
            said = [line for block in paragraphs(comment) for line in written(block)]
            literal.append((said, [line for line in code.splitlines() if line != "#ifdef __cplusplus"]))
    assert functions, title
    lines = [".\\\" Made of include/sunpath.h by man/generate.py.", f".Dd {DATE}", f".Dt {page.upper()} 3", ".Os"]
    names = [function.name for function in functions]
    if page not in names:
        names.insert(0, page)
    lines += [".Sh NAME", *[f".Nm {name} ," for name in names[:-1]], f".Nm {names[-1]}", f".Nd {about}"]
    lines += [".Sh SYNOPSIS", ".In sunpath.h"]
    for function in functions:
        lines.append(f".Ft {function.type.strip()}")
        if function.arguments:
            arguments = [f'.Fa "{argument}"' for argument in function.arguments]
            lines += [f".Fo {function.name}", *arguments, ".Fc"]
        else:
            lines.append(f".Fn {function.name} void")
    lines += [".Pp", "Link with", ".Fl lsunpath ."]
    lines.append(".Sh DESCRIPTION")
    for block in paragraphs(intro_comment)[0:]:
        if not set(" ".join(block)) <= set("- "):
            lines += [*written(block), ".Pp"]
    lines.append("What every function of the library has in common is in")
    lines.append(".Xr sunpath 3 .")
    for function in functions:
        first, *more = function.text
        first = list(first)
        first[0] = first[0][0].lower() + first[0][1:]
        lines += [".Pp", f".Fn {function.name}", *first]
        for block in more:
            lines += block if block[0].startswith(".Bd") else [".Pp", *block]
    for said, code in literal:
        lines += [".Pp", *said, ".Bd -literal -offset indent", *[escape(line) for line in code], ".Ed"]
    lines += [".Sh RETURN VALUES", "On success the functions return what is described above."]
    lines += ["On failure they return \\-1, set", ".Va errno", "last, and change no output but"]
    explain = ".Xr sunpath_explain 3" if page != "sunpath_explain" else ".Fn sunpath_explain"
    lines += [".Fa *ret_error ,", "of which", explain, "makes a sentence."]
    lines += [".Sh EXAMPLES", ".Bd -literal", *program(page), ".Ed"]
    with_errors = [function for function in functions if function.errors]
    if with_errors:
        lines.append(".Sh ERRORS")
    for i, function in enumerate(with_errors):
        lines += [*([".Pp"] if i else []), f".Fn {function.name}", "fails with:"]
        named = [error for error in function.errors if error[0]]
        others_of = [error for error in function.errors if not error[0]]
        if named:
            lines.append(".Bl -tag -width Er")
            for errnos, meaning in named:
                tags = " , ".join(f"Er {name}" for name in errnos)
                lines += [f".It Bo {tags} Bc", *sentences(meaning[0].upper() + meaning[1:])]
            lines.append(".El")
        for _, meaning in others_of:
            lines += ["Further errors are", *sentences(meaning)]
    return lines + see_also({x for function in functions for x in function.see} | {("sunpath", "3"), *others})


def program(page):
    return [escape(line) for line in (HERE / f"examples/{page}.c").read_text().splitlines()]


def see_also(pages):
    pages = sorted(pages, key=lambda page: (page[1], page[0]))
    lines = [f".Xr {name} {section} ," for name, section in pages]
    lines[-1] = lines[-1].removesuffix(" ,")
    return [".Sh SEE ALSO", *lines]


def overview(top, version):
    lines = [".\\\" Made of include/sunpath.h by man/generate.py.", f".Dd {DATE}", ".Dt SUNPATH 3", ".Os"]
    lines += [".Sh NAME", ".Nm sunpath ,", ".Nm sunpath_version", ".Nd Unix domain sockets"]
    lines += [".Sh SYNOPSIS", ".In sunpath.h", ".Ft unsigned int", ".Fn sunpath_version void", ".Pp", "Link with"]
    lines += [".Fl lsunpath .", ".Sh DESCRIPTION"]
    for block in paragraphs(top)[1:]:
        title = re.match(r"([A-Z][A-Z, ]+)[.]? (?=[A-Z(a-z])", " ".join(block))
        if title and len(title.group(1)) > 2 and not block[0].startswith("    "):
            name = title.group(1).strip().capitalize().replace("Abi", "ABI")
            block = [" ".join(block)[title.end() :]]
            block[0] = (name + " " if block[0][0].islower() else "") + block[0]
            lines += [f".Ss {name}", *sentences(block[0])]
        elif block[0].startswith("    "):
            lines += written(block)
        else:
            lines += ([".Pp"] if not lines[-1].startswith(".Sh") else []) + written(block)
    lines += [".Pp", ".Fn sunpath_version", *sentences(version[0].lower() + version[1:])]
    lines += [".Ss Pages", ".Bl -tag -width Ds"]
    for _, page, about in PAGES:
        lines += [f".It Xr {page} 3", about]
    lines += [".El", ".Sh EXAMPLES", "A server that starts again after it was killed, cannot be started twice, is never"]
    lines += ["reachable by other users, takes a path of any length, and removes its file:"]
    text = (HERE / "../examples/hello.c").read_text()
    lines += [".Bd -literal", *[escape(line) for line in text.splitlines()], ".Ed"]
    return lines + see_also({(page, "3") for _, page, _ in PAGES} | {("unix", "7"), ("socket", "2")})


def main():
    into = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    header = (HERE / "../include/sunpath.h").read_text()
    top = re.match(r"/\*(.*?)\*/", header, re.S).group(1)
    version = re.search(r"/\*\n \* (Returns the version.*?)\n \*/", header, re.S).group(1).replace("\n * ", " ")
    pages = {"sunpath": overview(top, version)}
    sections = re.split(r"/\* ---- (.*?) -{4,}\n", header)[1:]
    found = dict(zip(sections[::2], sections[1::2]))
    assert list(found) == [title for title, _, _ in PAGES], list(found)
    for title, page, about in PAGES:
        body = found[title].split("#ifdef __cplusplus")[0]
        pages[page] = page_of(title, page, about, body, [("sunpath_explain", "3")] if page != "sunpath_explain" else [])
    for page, lines in pages.items():
        (into / f"{page}.3").write_text("\n".join(lines) + "\n")


main()
