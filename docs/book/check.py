#!/usr/bin/env python3
"""Checks the pages that make.py has built: links and ids, pictures and their texts, the index, and that
every lane of every step of every lesson is there and fits into its cell.

    python3 docs/book/make.py && python3 docs/book/check.py
"""

import pathlib
import re
import sys
from html.parser import HTMLParser

sys.dont_write_bytecode = True  # the work tree stays as it is
import make

HTML = make.BOOK / "html"
# The columns of a program, and what a cell needs for them: 0.603 em of 12 px each, and the padding of mdBook.
COLUMNS = 64
CELL = COLUMNS * 0.603 * 12 + 2 * 16
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """What a page has in its main part: ids, links, pictures, and the code of its lanes."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.images, self.lanes = [], [], [], []
        self.texts, self.pictures, self.styles = 0, 0, 0
        self.open = []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "img":
            self.images.append((values.get("src", ""), values.get("alt", "")))
        if tag == "svg" and "picture" in values.get("class", ""):
            self.pictures += 1
        if tag == "style":
            self.styles += 1
        classes = values.get("class", "").split()
        is_lane = tag == "div" and classes[:1] == ["lane"]
        if is_lane:
            self.lanes.append((classes[1], []))
        if tag not in VOID:
            self.open.append((tag, is_lane))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1][0] == "desc" and data.strip():
            self.texts += 1
        if ("code", False) in self.open and any(is_lane for _, is_lane in self.open):
            self.lanes[-1][1].append(data)


def check_links(name, page, pages, faults):
    for link in page.links + [source for source, _ in page.images]:
        if re.match(r"[a-z]+:|//", link):
            continue
        path, _, fragment = link.partition("#")
        path = path.replace("%20", " ") or name
        if not (HTML / path).exists():
            faults.append(f"{name}: no {link}")
        elif fragment and path in pages and fragment not in pages[path].ids:
            faults.append(f"{name}: no {link}")
    for link in page.links:
        target = re.match(re.escape(make.REPOSITORY) + r"/([^#]*)", link)
        if target and not (make.ROOT / target[1]).exists():
            faults.append(f"{name}: the repository has no {target[1]}")
    for source, text in page.images:
        if not text:
            faults.append(f"{name}: {source} has no text in its place")
    if page.styles:
        faults.append(f"{name}: a style element, which would apply to the whole page")
    for twice in {id for id in page.ids if page.ids.count(id) > 1}:
        faults.append(f"{name}: two elements have the id {twice}")


def check_lesson(lesson, page, faults):
    """Checks that each step has each lane that the folder of the lesson has, with its code."""
    present = [(key, make.steps(lesson / file)) for key, _, file, _ in make.LANES if (lesson / file).exists()]
    expected = [(key, steps[i][3]) for i in range(len(present[0][1])) for key, steps in present]
    found = [(key, "".join(code).strip("\n")) for key, code in page.lanes]
    if [key for key, _ in found] != [key for key, _ in expected]:
        faults.append(f"{lesson.name}: the lanes are {[key for key, _ in found]}")
    for (key, code), (_, text) in zip(expected, found):
        if code and code != text:
            faults.append(f"{lesson.name}: a step of the lane {key} is not that of the program")
        for line in text.splitlines():
            if len(line) > COLUMNS:
                faults.append(f"{lesson.name}: wider than its cell: {line}")
    for key, _ in present:
        if f"show-{key}" not in page.ids:
            faults.append(f"{lesson.name}: nothing hides the lane {key}")
    if "<p>``</p>" in (HTML / f"{lesson.name}.html").read_text():
        faults.append(f"{lesson.name}: a sentence of a step is empty")
    wanted = len(make.PICTURE.findall((lesson / "README.md").read_text()))
    if page.pictures != wanted:
        faults.append(f"{lesson.name}: {page.pictures} pictures, not {wanted}")


def check_proofs(lesson, page, faults):
    """Checks that the cases that a lesson names lead to the facts."""
    named = re.findall(r"`(\w+)::([\w.]+)`", (lesson / "README.md").read_text().split("are proved by ")[1])
    for suite, name in named:
        if f"facts.html#{suite}.{name}" not in page.links:
            faults.append(f"{lesson.name}: {suite}::{name} does not lead to the facts")


def check_index(page, faults):
    """Checks that the index has every call of every lesson's table, with a link to that lesson."""
    text = (make.SRC / "names.md").read_text()
    rows = dict(re.findall(r"^\| `(?:struct )?(\w+)` \| (.*) \|$", text, re.M))
    for lesson in make.lessons():
        table = (lesson / "README.md").read_text().split("| step | C |")[1].split("\n\n")[0]
        own = set(re.findall(r"^static [^;=\n]*?(\w+)\(", (lesson / "main.c").read_text(), re.M))
        for row in table.splitlines()[2:]:
            for name in set(re.findall(r"`(\w+)`", row.split("|")[2])) - own:
                if f"]({lesson.name}.md)" not in rows.get(name, ""):
                    faults.append(f"index: {name} does not lead to {lesson.name}")
    if len(page.links) < len(rows):
        faults.append("index: a row without a link")


def check_width(faults):
    css = (make.HERE / "book.css").read_text()
    width = int(re.search(r"minmax\(min\(100%, (\d+)px\)", css)[1])
    size = int(re.search(r"\.lane pre > code \{ font-size: (\d+)px", css)[1])
    if not re.search(r"main > pre > code \{[^}]*pre-wrap", css):
        faults.append("book.css: a command that is longer than a page is wide is not wrapped")
    if size != 12 or width < CELL:
        faults.append(f"book.css: a cell of {width} px does not hold {COLUMNS} columns of {size} px")


def main():
    names = [path.name for path in sorted(HTML.glob("*.html")) if path.name not in ("404.html", "print.html", "toc.html")]
    pages = {name: Page(HTML / name) for name in names}
    faults = []
    for name, page in pages.items():
        check_links(name, page, pages, faults)
        if page.texts != page.pictures:
            faults.append(f"{name}: {page.pictures} pictures, {page.texts} texts in their place")
    for lesson in make.lessons():
        check_lesson(lesson, pages[f"{lesson.name}.html"], faults)
        check_proofs(lesson, pages[f"{lesson.name}.html"], faults)
    check_index(pages["names.html"], faults)
    declared = sum(line.startswith("P ") for lesson in make.lessons()
                   for line in (lesson / "transcript.txt").read_text().splitlines())
    rows = len(re.findall(r"^\| `", (make.SRC / "python.md").read_text(), re.M))
    if rows != declared or declared == 0:
        faults.append(f"python.html: {rows} rows for {declared} declared differences")
    check_width(faults)
    if faults:
        sys.exit("\n".join(faults))
    lanes = sum(len(page.lanes) for page in pages.values())
    pictures = sum(page.pictures for page in pages.values())
    links = sum(len(page.links) for page in pages.values())
    print(f"{len(pages)} pages, {links} links, {lanes} lanes of steps, {pictures} pictures")


if __name__ == "__main__":
    main()
