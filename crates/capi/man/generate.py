#!/usr/bin/env python3
"""Makes the man pages of include/sunpath.h: one for each section of the header, and sunpath(3). The folder links/ gets
a file for each function that has not the name of a page, which leads man(1) to the page of the function.

    python3 crates/capi/man/generate.py

The header is the source of every sentence about a function. A paragraph that begins with "Returns" comes under RETURN
VALUES. The examples are the programs in man/examples, which the tests compile and run. A test makes the pages again
and compares them.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
DATE = "December 1, 2026"

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

# What sunpath(3) says of its program.
FIRST = [
    "The following server starts again after it was killed, and cannot be started twice.",
    "It serves only its own user.",
    "Its path may have any length, and its file is removed at the end:",
]

ERRNO = r"E[A-Z0-9]+"
ERRNOS = re.compile(rf"(?:^|(?<=\. )|(?<=; ))({ERRNO}(?:, {ERRNO})*): ")


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
    lines = [escape(line) for line in re.split(r'(?<=[.:]) (?=[A-Z0-9*`"]|\w+\()', text.strip()) if line]
    # The name of a parameter stands in backquotes in the header, and in italics on the page.
    return [re.sub(r"`(\w+)`", r"\\fI\1\\fP", line) for line in lines]


def errors(text):
    """The errnos of a paragraph with what they mean."""
    marks = list(ERRNOS.finditer(text))
    found = []
    for mark, after in zip(marks, [*marks[1:], None]):
        meaning = text[mark.end() : after.start() if after else len(text)].strip()
        found.append((mark.group(1).split(", "), meaning))
    return found


class Function:
    def __init__(self, comment, prototype):
        self.text, self.returns, self.errors, self.see = [], [], [], []
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
            if ERRNOS.match(text):
                self.errors += errors(text)
            elif self.text and text.startswith("Returns "):
                self.returns += sentences(text)
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
    lines += [".Xr sunpath 3", "describes what all functions of the library have in common."]
    for function in functions:
        first, *more = function.text
        first = list(first)
        first[0] = first[0][0].lower() + first[0][1:]
        lines += [".Pp", f".Fn {function.name}", *first]
        for block in more:
            lines += block if block[0].startswith(".Bd") else [".Pp", *block]
    if literal:
        lines.append(".Ss Constants and structs")
    for i, (said, code) in enumerate(literal):
        lines += [*([".Pp"] if i else []), *said, ".Bd -literal -offset indent", *[escape(line) for line in code], ".Ed"]
    lines += [".Sh RETURN VALUES", *returned(functions, page)]
    lines += [".Sh EXAMPLES", ".Bd -literal", *program(page), ".Ed"]
    with_errors = [function for function in functions if function.errors]
    if with_errors:
        lines.append(".Sh ERRORS")
    for i, function in enumerate(with_errors):
        lines += [*([".Pp"] if i else []), f".Fn {function.name}", "fails with:", ".Bl -tag -width Er"]
        for errnos, meaning in function.errors:
            tags = " , ".join(f"Er {name}" for name in errnos)
            lines += [f".It Bo {tags} Bc", *sentences(meaning[0].upper() + meaning[1:])]
        lines.append(".El")
    return lines + see_also({x for function in functions for x in function.see} | {("sunpath", "3"), *others})


def returned(functions, page):
    """The result of each function on success, and what all of them have in common on failure."""
    groups = {}
    for function in functions:
        groups.setdefault(tuple(function.returns), []).append(function.name)
    zero = groups.pop((), None)
    if zero:
        groups[("Returns 0.",)] = zero
    lines = []
    for (first, *more), names in groups.items():
        listed = [f".Fn {name} ," for name in names[:-2]] + [f".Fn {name}" for name in names[-2:]]
        if len(names) > 1:
            listed[-1:] = ["and", listed[-1]]
        verb = "return" if len(names) > 1 else "returns"
        lines += [".Pp", *listed, verb + first.removeprefix("Returns"), *more]
    can_fail = [function for function in functions if "cannot fail" not in " ".join(function.returns)]
    subject = "each of these functions" if can_fail == functions else "a function that can fail"
    subject = subject if len(functions) > 1 else "the function"
    lines += [".Pp", f"On failure {subject} returns \\-1 and sets", ".Va errno", "last."]
    has_cause = ["uint64_t *ret_error" in function.arguments for function in functions]
    if any(has_cause):
        first = [] if all(has_cause) else ["If it has the parameter", ".Fa ret_error ,"]
        lines += [*first, "it" if first else "It", "stores the cause in", ".Fa *ret_error ,", "and"]
        lines += [".Xr sunpath_explain 3", "makes a sentence of the cause."]
    return lines[1:]


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
            name = title.group(1).strip()
            block = [" ".join(block)[title.end() :]]
            block[0] = (name.capitalize() + " " if block[0][0].islower() else "") + block[0]
            lines += [f".Ss {name}", *sentences(block[0])]
        elif block[0].startswith("    "):
            lines += written(block)
        else:
            is_first = lines[-1].startswith(".Sh")
            lines += ([] if is_first else [".Pp"]) + written(block)
            if is_first:
                text = (HERE / "../examples/hello.c").read_text()
                lines += [".Pp", *FIRST, ".Bd -literal", *[escape(line) for line in text.splitlines()], ".Ed"]
    lines += [".Pp", ".Fn sunpath_version", *sentences(version[0].lower() + version[1:])]
    lines += [".Ss Pages", ".Bl -tag -width Ds"]
    for _, page, about in PAGES:
        lines += [f".It Xr {page} 3", about]
    lines.append(".El")
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
    (into / "links").mkdir(exist_ok=True)
    pages["links/sunpath_version"] = [".so man3/sunpath.3"]
    for title, page, about in PAGES:
        body = found[title].split("#ifdef __cplusplus")[0]
        for name in re.findall(r"^[a-z].*?[ *](sunpath_\w+)\(", body, re.M):
            if name != page:
                pages[f"links/{name}"] = [f".so man3/{page}.3"]
        pages[page] = page_of(title, page, about, body, [("sunpath_explain", "3")] if page != "sunpath_explain" else [])
    for page, lines in pages.items():
        (into / f"{page}.3").write_text("\n".join(lines) + "\n")


main()
