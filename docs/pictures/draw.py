#!/usr/bin/env python3
"""Draws the pictures of this folder, from what the system's headers and kernel say, from the transcripts
of the lessons, and from the lists of calls of docs/socket-files.md, which a test compares with the calls.

    python3 docs/pictures/draw.py           writes the pictures
    python3 docs/pictures/draw.py --check   fails if one is not what would be written

It needs Python 3.9 and a C compiler, which CC may name.
"""

import html
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WIDTH = 720

# The colours of a picture that stands alone. In the book, the book's style sheet replaces them.
STYLE = """
text { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; }
.small { font-size: 11.5px; }
rect, path, line { stroke: #57606a; fill: none; }
.family { fill: #4a90ff55; } .name { fill: #3cb04355; } .nul { fill: #ff8c2288; }
.rest { fill: #88888822; } .header { fill: #4a90ff55; } .data { fill: #3cb04355; }
.arrow { fill: #57606a; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } rect, path, line { stroke: #9198a1; } .arrow { fill: #9198a1; }
}
"""


class Picture:
    """A picture that grows downwards, with a title and a text for those who cannot see it."""

    def __init__(self, title, text):
        self.title, self.text = title, text
        self.parts, self.y = [], 12

    def add(self, part):
        self.parts.append(part)

    def label(self, x, y, text, kind="", anchor="start"):
        kind = f' class="{kind}"' if kind else ""
        self.add(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{kind}>{html.escape(text)}</text>')

    def box(self, x, y, width, height, kind, text="", small=True):
        self.add(f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>')
        if text:
            self.label(x + width / 2, y + height / 2 + 4, text, "small" if small else "", "middle")

    def arrow(self, x1, y1, x2, y2):
        self.add(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>')
        back = 7 if x2 > x1 else -7
        points = f"{x2:g},{y2:g} {x2 - back:g},{y2 - 4:g} {x2 - back:g},{y2 + 4:g}"
        self.add(f'<polygon class="arrow" points="{points}"/>')

    def write(self, name):
        style = "\n".join(line for line in STYLE.splitlines() if line)
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.y:g}" role="img" '
                f'class="picture" aria-labelledby="{name}-title {name}-text">')
        title = f'<title id="{name}-title">{html.escape(self.title)}</title>'
        text = f'<desc id="{name}-text">{html.escape(self.text)}</desc>'
        return "\n".join([head, title, text, f"<style>\n{style}\n</style>", *self.parts, "</svg>"]) + "\n"


def layout():
    """Returns what layout.c prints, as a dictionary."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "layout")
        compiler = os.environ.get("CC", "cc")
        source = str(HERE / "layout.c")
        subprocess.run([compiler, "-std=c11", source, "-o", program], check=True)
        run = subprocess.run([program], cwd=folder, check=True, stdout=subprocess.PIPE)
    lines = run.stdout.decode().splitlines()
    return {key: int(number) for key, number in (line.split() for line in lines)}


def draw_sockaddr_un(facts):
    """Draws the four forms of an address, to scale."""
    at, size = facts["sun_path.at"], facts["sun_path.size"]
    app, full = facts["pathname"], facts["full"]
    abstract = facts["abstract"] - at - 1
    rows = [
        ("a pathname, app.sock", app, [("name", app - at - 1, "app.sock"), ("nul", 1, "NUL")]),
        ("an abstract name", facts["abstract"], [("nul", 1, "NUL"), ("name", abstract, "name")]),
        ("unnamed", facts["unnamed"], []),
        (f"a pathname of {size} bytes, without a NUL", full, [("name", size, f"{size} bytes")]),
    ]
    sentences = [f"struct sockaddr_un has {at} bytes for the family and {size} for sun_path."]
    for title, length, parts in rows:
        inside = " and ".join(f"{count} for {text}" for _, count, text in parts) or "nothing after it"
        sentences.append(f"The address of {title} has length {length}: {at} for the family, {inside}."
                         .replace("of unnamed", "that is unnamed"))
    sentences.append(f"{full} is {full - at - size} more than the struct has.")
    picture = Picture("Four addresses in struct sockaddr_un", " ".join(sentences))
    scale = (WIDTH - 40) / (at + size)
    for title, length, parts in rows:
        over = f", {length - at - size} more than the struct" if length > at + size else ""
        picture.label(10, picture.y + 12, f"{title}: len = {length}{over}")
        y, x = picture.y + 20, 10
        # A part that is too narrow for its text is explained above by its colour.
        for kind, count, text in [("family", at, ""), *parts, ("rest", None, "")]:
            count = at + size - (x - 10) / scale if count is None else count
            if count < 0.01:
                continue
            wide = count * scale > 7.2 * len(text)
            picture.box(x, y, count * scale, 26, kind, text if wide else "")
            x += count * scale
        picture.y += 62
    x = 10
    for kind, text in [("family", f"sun_family, {at} bytes"), ("name", "name"), ("nul", "NUL"),
                       ("rest", "not part of the address")]:
        picture.box(x, picture.y, 14, 14, kind)
        picture.label(x + 20, picture.y + 11, text, "small")
        x += 40 + 7.6 * len(text)
    picture.y += 24
    return picture


def draw_control(facts):
    """Draws a control buffer with credentials and two descriptors."""
    size = facts["control.size"]
    messages = []
    for i, (name, data) in enumerate([("SCM_CREDENTIALS", "struct ucred"), ("SCM_RIGHTS", "2 descriptors")]):
        numbers = {key: facts[f"message.{i}.{key}"] for key in ("at", "data", "len", "space")}
        messages.append((name, data, numbers))
    sentences = [f"A control buffer of {size} bytes with two messages."]
    for name, data, m in messages:
        padding = m["space"] - m["len"]
        sentences.append(
            f"{name} begins at byte {m['at']}: a header up to byte {m['data']}, then {data}; cmsg_len is "
            f"{m['len']}, and {padding} bytes of padding make CMSG_SPACE {m['space']}.")
    picture = Picture("A control buffer with two messages", " ".join(sentences))
    scale = (WIDTH - 20) / size
    picture.label(10, picture.y + 12, f"msg_control, msg_controllen = {size}")
    top = picture.y + 24
    for name, data, m in messages:
        begin, end = m["at"], m["at"] + m["len"]
        parts = [
            ("cmsg_len", begin, begin + facts["cmsg_len.size"], "header"),
            ("level", begin + facts["cmsg_level.at"], begin + facts["cmsg_type.at"], "header"),
            ("type", begin + facts["cmsg_type.at"], m["data"], "header"),
            (data, m["data"], end, "data"),
            ("", end, begin + m["space"], "rest"),
        ]
        for text, left, right, kind in parts:
            if right > left:
                width = (right - left) * scale
                picture.box(10 + left * scale, top, width, 34, kind, text if width > 7.2 * len(text) else "")
                picture.label(12 + left * scale, top + 48, str(left), "small")
        left, right = 10 + begin * scale, 10 + (begin + m["space"]) * scale
        picture.add(f'<path d="M{left + 1:g},{top + 58} v8 H{right - 3:g} v-8"/>')
        picture.label((left + right) / 2, top + 82, f"{name}: cmsg_len {m['len']}", "small", "middle")
        picture.label((left + right) / 2, top + 98, f"CMSG_SPACE {m['space']}", "small", "middle")
    picture.y = top + 110
    return picture


def transcript(lesson):
    """Returns what the program in C of a lesson prints."""
    text = (ROOT / "examples" / lesson / "transcript.txt").read_text()
    return [line for line in text.splitlines() if line and not re.match(r"#|[A-Z] ", line)]


def draw_stream():
    """Draws lesson 02 in time: which side makes each call, and what the kernel has after the call."""
    lines = [line for line in transcript("02_stream") if not line.startswith("socket")]
    effects = {
        "bind": "makes the file", "listen": "makes the queue", "connect": "puts a connection into the queue",
        "send": "puts the bytes into it", "accept": "takes it out of the queue", "recv": "takes the bytes out",
        "close": "puts the end after the bytes", "unlink": "removes the file",
    }

    def effect_of(line):
        return "finds the end" if line.endswith(" = 0") else effects[line.split("(")[0]]

    text = "Each line is a call of lesson 02, in order of time. " + " ".join(
        f"{line}: {effect_of(line)}." for line in lines)
    picture = Picture("A stream in time: bind, listen, connect, accept", text)
    server, client, kernel = 80, WIDTH - 80, WIDTH / 2
    for x, name in [(server, "server"), (kernel, "kernel"), (client, "client")]:
        picture.label(x, picture.y + 12, name, "", "middle")
    top = picture.y + 22
    y = top
    for line in lines:
        y += 32
        is_client = "client" in line
        x = client if is_client else server
        picture.label(x + (-8 if is_client else 8), y - 6, line, "small", "end" if is_client else "start")
        effect = effect_of(line)
        beside = 3.5 * len(effect) + 8
        picture.arrow(x, y, kernel + (beside if is_client else -beside), y)
        picture.label(kernel, y + 4, effect, "small", "middle")
    for x in (server, client):
        picture.add(f'<line x1="{x:g}" y1="{top:g}" x2="{x:g}" y2="{y + 16:g}"/>')
    picture.y = y + 26
    return picture


def draw_messages():
    """Draws lesson 06: two messages are sent, and what each type of socket delivers."""
    code = (ROOT / "examples" / "06_messages" / "main.c").read_text()
    sent = re.findall(r'^ +send\(p\[0\], "(\w+)"', code, re.M)
    types = {"STREAM": "a stream", "DGRAM": "datagrams", "SEQPACKET": "seqpacket"}
    nothing = {"STREAM": "the end", "DGRAM": "an empty message", "SEQPACKET": "the end"}
    rows, key = [("two messages", [(f"send({len(text)})", text, "") for text in sent])], None
    for line in transcript("06_messages"):
        made = re.match(r"socketpair\((\w+)\) = ok", line)
        received = re.match(r'(recv\(\d+\) = (\d+)), "(\w*)"(, the rest is lost)?', line)
        if made:
            key = made[1]
            rows.append((types[key], []))
        elif received:
            text = received[3]
            lost = next(one for one in sent if one.startswith(text))[len(text):] if received[4] else ""
            rows[-1][1].append((received[1], text or nothing[key], lost))
    if len(rows) != 4 or len(sent) != 2:
        sys.exit("lesson 06 has other steps than the picture")
    sentences = []
    for name, groups in rows:
        told = ", then ".join(f"{call}: {text}" + (f", and {lost} is lost" if lost else "") for call, text, lost in groups)
        sentences.append(f"{name[:1].upper()}{name[1:]}: {told}.")
    picture = Picture("Two messages, as three types of socket deliver them", " ".join(sentences))
    side = 24
    for name, groups in rows:
        picture.label(10, picture.y + 21, name)
        x = 150
        for call, text, lost in groups:
            if text in nothing.values():
                picture.label(x, picture.y + 21, text)
            else:
                for i, letter in enumerate(text + lost):
                    picture.box(x + i * side, picture.y + 4, side, side, "name" if i < len(text) else "rest", letter, False)
            picture.label(x, picture.y + 44, call, "small")
            if lost:
                picture.label(x + (len(text) + len(lost)) * side + 6, picture.y + 21, "lost", "small")
            width = len(text + lost) * side if text not in nothing.values() else 110
            x += max(width, 90) + (50 if lost else 26)
        picture.y += 62
    return picture


def draw_rights():
    """Draws lesson 07: two descriptor tables, and one open file."""
    lines = transcript("07_descriptors")
    needed = ["sendmsg() = ok", "recvmsg() = ok", "write(received) = ok"]
    if any(line not in lines for line in needed):
        sys.exit("lesson 07 has other steps than the picture")
    text = ("Before: the descriptor table of the sender has an entry that leads to an open file. After sendmsg "
            "the message in the queue leads to it too. After recvmsg the table of the receiver has an entry "
            "of its own, with another number, for the same open file, which stays open when the sender closes.")
    picture = Picture("SCM_RIGHTS: two descriptor tables, one open file", text)
    steps = [("1. opened", "sender"), ("2. sendmsg", "sender, message"),
             ("3. recvmsg", "sender, receiver"), ("4. close by the sender", "receiver")]
    holders = [("sender's table", "sender"), ("message in the queue", "message"), ("receiver's table", "receiver")]
    width = (WIDTH - 20) / len(steps)
    for i, (title, held) in enumerate(steps):
        x = 10 + i * width
        picture.label(x + width / 2 - 8, picture.y + 12, title, "", "middle")
        for row, (name, key) in enumerate(holders):
            holds = key in held.split(", ")
            y = picture.y + 24 + row * 40
            picture.box(x, y, width - 16, 28, "name" if holds else "rest", name if holds else "")
        picture.box(x + 20, picture.y + 160, width - 56, 28, "family", "open file")
        rows = [row for row, (_, key) in enumerate(holders) if key in held.split(", ")]
        for row in rows:
            side = x + width - 16
            y = picture.y + 24 + row * 40 + 14
            picture.add(f'<path d="M{side:g},{y:g} h6 V{picture.y + 174:g} H{x + width - 29:g}"/>')
        x, y = x + width - 36, picture.y + 174
        picture.add(f'<polygon class="arrow" points="{x:g},{y:g} {x + 7:g},{y - 4:g} {x + 7:g},{y + 4:g}"/>')
    picture.y += 204
    return picture


def calls(name):
    """Returns a list of calls of docs/socket-files.md, with its comments."""
    page = (ROOT / "docs" / "socket-files.md").read_text()
    block = re.search(rf"^```calls {re.escape(name)}\n(.*?)^```", page, re.M | re.S)
    if not block:
        sys.exit(f"docs/socket-files.md has no list of the calls of {name}")
    lines = (line.partition("#") for line in block[1].splitlines())
    return [(call.strip(), comment.strip()) for call, _, comment in lines]


def draw_calls(title, lists):
    """Draws lists of calls side by side. A step that has a comment stands out."""
    text = " ".join(f"{head}: " + "; ".join(f"{call} ({why})" if why else call for call, why in steps) + "."
                    for head, steps in lists)
    picture = Picture(title, text)
    top, bottom = picture.y, picture.y
    for i, (head, steps) in enumerate(lists):
        x, y = 10, bottom
        picture.label(x, y + 12, head)
        y += 20
        for call, why in steps:
            picture.box(x, y, 200, 20, "name" if why else "rest", call)
            if why:
                picture.label(x + 210, y + 14, why, "small")
            y += 22
        bottom = y + 12
    picture.y = bottom
    return picture


def pictures():
    facts = layout()
    return {
        "sockaddr_un": draw_sockaddr_un(facts),
        "control": draw_control(facts),
        "stream": draw_stream(),
        "messages": draw_messages(),
        "rights": draw_rights(),
        "replace_stale": draw_calls("The calls of ReplaceStale", [
            ("ReplaceStale where nothing is at the path", calls("replace stale")),
            ("ReplaceStale over a dead file", calls("replace stale over a dead file"))]),
        "takeover": draw_calls("The calls of Takeover", [
            ("Takeover over a live server", calls("takeover over a live server"))]),
    }


def main():
    differ = []
    for name, picture in pictures().items():
        path, text = HERE / f"{name}.svg", picture.write(name)
        if path.exists() and path.read_text() == text:
            continue
        differ.append(path.name)
        if "--check" not in sys.argv:
            path.write_text(text)
    if differ and "--check" in sys.argv:
        sys.exit(f"run docs/pictures/draw.py: {' '.join(differ)} would differ")


if __name__ == "__main__":
    main()
