#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check the pages of the documentation, and write their code blocks to files.

pages.py ROOT [OUT]: print one line "PAGE:LINE: message" for each fault in README.md, CONTRIBUTING.md, CHANGELOG.md and
docs/*.md below ROOT. With OUT, write the code blocks of docs/NAME.md to OUT/NAME.c and OUT/NAME.rs. Exit with 1 if there
was a fault.

A block of C or Rust has a comment before it, which a reader of the rendered page does not see:

  <!-- code: file -->               the block stands outside of functions
  <!-- code: body int f(int x) -->  the block is the body of a function
  <!-- code: excerpt FILE -->       the block stands in FILE, line by line; it is not compiled here
  <!-- code: skip REASON -->        the block is not compiled
  <!-- hidden c ... -->             lines for the compiler alone, "hidden rust" for Rust
  <!-- edit: SED -->                bindings/test edits the header of first-contract.md so, and expects the block's text
  <!-- elsewhere: NAME ... -->      identifiers and files that the page names and this repository does not have

The blocks of a page form one file, in their order. Each code block in the kernel-doc of a header in c/include/linux
becomes the body of a function in a file of its own, OUT/HEADER-LINE.c, after prelude.h.
"""

import re
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^```(\w*)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A path below one of our folders, with shell patterns.
PATH = re.compile(r"(?<![\w/.~-])((?:c|bindings|samples|selftests|tree|docs|\.ci)/[\w./*{},-]*[\w*}/])")
# Folders of an assembled kernel whose names begin like ours.
KERNEL = ("samples/hmm", "tools/testing")
# A file name without a folder: ours. Kernel files are written with their path.
BARE = re.compile(r"(?<![\w/.*<}-])([a-z_0-9][\w-]*\.(?:c|h|rs|py|sh|md|pml))\b(?!\()")
# The prefixes of our functions, macros and types.
NAME = re.compile(r"\b((?:hmm|HMM|dm|migrate|MIGRATE)_\w+)")
TARGET = re.compile(r"(?:^|[ `])make ([a-z][a-z-]*)\b(?![=/.])")
# Where "make ..." is English, not a target.
ENGLISH = {"it", "a", "one", "the", "its", "them", "sure", "up", "what", "that", "and", "variables"}
CODE = {"c": ".c", "rust": ".rs"}


class Repository:
    """The files that git knows or would add, in an unpacked archive all files; and the identifiers in them."""

    def __init__(self, root, files=None):
        self.root = Path(root)
        self.files = files if files is not None else self.list_files()
        self.names = {path.name for path in self.files}
        self.targets = set(re.findall(r"^([a-z-]+):", (self.root / "Makefile").read_text(), re.M)) if self.files else set()
        self.identifiers = set()
        for path in self.files:
            if path.suffix in (".c", ".h", ".rs", ".pml") or path.name in ("names", "Kconfig"):
                self.identifiers.update(NAME.findall((self.root / path).read_text(errors="replace")))

    def list_files(self):
        listed = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"], check=False,
                                capture_output=True, text=True)
        if listed.returncode:
            return sorted(path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return [Path(line) for line in listed.stdout.splitlines() if (self.root / line).is_file()]

    def has(self, pattern):
        """Whether a path or shell pattern, {a,b} included, names at least one file or folder."""
        match = re.match(r"(.*)\{([^}]*)\}(.*)", pattern)
        if match:
            return all(self.has(match[1] + part + match[3]) for part in match[2].split(","))
        return any(True for _ in self.root.glob(pattern.rstrip("/")))


class Block:
    """A code block: its language, its marker, the line where it begins, and its lines."""

    def __init__(self, language, marker, number):
        self.language, self.marker, self.number, self.lines = language, marker, number, []


class Page:
    """One page, taken apart into prose and blocks."""

    def __init__(self, repository, path):
        self.repository, self.path, self.faults = repository, Path(path), []
        self.prose, self.blocks, self.elsewhere = [], [], set()
        self.read()

    def read(self):
        """Separate prose, code blocks and hidden code."""
        block, marker, hidden = None, "", None
        for number, line in enumerate((self.repository.root / self.path).read_text().splitlines(), 1):
            fence = FENCE.match(line)
            if hidden:
                if line.startswith("-->"):
                    hidden = None
                else:
                    hidden.lines.append(line)
            elif block:
                if fence:
                    block = None
                else:
                    block.lines.append(line)
            elif fence:
                block = Block(fence[1], marker, number)
                self.blocks.append(block)
                marker = ""
            elif line.startswith("<!-- code: "):
                marker = line[len("<!-- code: "):].removesuffix("-->").strip()
            elif line.startswith("<!-- edit: "):
                pass
            elif line.startswith("<!-- elsewhere: "):
                self.elsewhere.update(line[len("<!-- elsewhere: "):].removesuffix("-->").split())
            elif line.startswith("<!-- hidden "):
                hidden = Block(line.split()[2], "file", number)
                self.blocks.append(hidden)
            else:
                self.prose.append((number, line))

    def fault(self, number, message):
        self.faults.append(f"{self.path}:{number}: {message}")

    def check(self):
        """Links, paths, names, make targets and markers of blocks."""
        for number, line in self.prose:
            self.check_links(number, line)
            # The changelog names what is gone.
            if self.path.name != "CHANGELOG.md":
                self.check_names(number, re.sub(r"\]\([^)]*\)", "]", line))
        for block in self.blocks:
            if block.language in CODE:
                self.check_code(block)
            elif block.language == "sh":
                for number, line in enumerate(block.lines, block.number + 1):
                    self.check_paths(number, line)
                    self.check_targets(number, line)

    def check_code(self, block):
        kind, _, argument = block.marker.partition(" ")
        if kind not in ("file", "body", "excerpt", "skip"):
            self.fault(block.number, "a block of code without a marker")
        elif kind == "excerpt":
            file = self.repository.root / argument
            if not file.is_file() or "\n".join(block.lines) not in file.read_text():
                self.fault(block.number, f"the block does not stand in {argument}")

    def check_links(self, number, line):
        for target in LINK.findall(line):
            if re.match(r"\w+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (self.repository.root / self.path).parent / path if path else self.repository.root / self.path
            if not file.exists():
                self.fault(number, f"link to {target}, which does not exist")
            elif anchor and anchor not in anchors(file):
                self.fault(number, f"link to {target}: there is no such heading")

    def check_paths(self, number, line):
        for path in PATH.findall(line):
            if not path.startswith(KERNEL) and not self.repository.has(path):
                self.fault(number, f"{path} does not exist")

    def check_targets(self, number, line):
        for target in TARGET.findall(line):
            if target not in self.repository.targets and target not in ENGLISH:
                self.fault(number, f"make {target}: there is no such target")

    def check_names(self, number, line):
        self.check_paths(number, line)
        for span in re.findall(r"`([^`]+)`", line):
            self.check_targets(number, span)
            for name in NAME.findall(span):
                if name not in self.repository.identifiers | self.elsewhere and not name.endswith("_"):
                    self.fault(number, f"{name} is in no source file")
        for name in BARE.findall(line):
            if name not in self.repository.names | self.elsewhere:
                self.fault(number, f"{name} is no file of this repository")

    def source(self, language):
        """The page's file of one language, or an empty string."""
        lines = []
        for block in self.blocks:
            if block.language != language or block.marker.split(" ")[0] not in ("file", "body"):
                continue
            if language == "c":
                lines.append(f'#line {block.number + 1} "{self.path}"')
            if block.marker.startswith("body "):
                head = block.marker[len("body "):]
                lines += ["static __maybe_unused " + head + " {" if language == "c" else "fn " + head + " {",
                          *block.lines, "}"]
            else:
                lines += block.lines
        return "\n".join(lines) + "\n" if lines else ""


def anchors(file):
    """The anchors of a page's headings, as Git hosts make them."""
    found = set()
    for line in file.read_text().splitlines():
        match = re.match(r"#+ +(.*)", line)
        if match:
            found.add(re.sub(r"[^\w -]", "", match[1].lower()).replace(" ", "-"))
    return found


def unlisted(root, pages):
    """Pages to which the index has no link."""
    index = root / "docs/README.md"
    if not index.exists():
        return []
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(index.read_text())}
    return [f"{page}:1: docs/README.md has no link to this page" for page in pages
            if page.parent.name == "docs" and page.name != "README.md" and (root / page).resolve() not in linked]


def header_blocks(file):
    """The code blocks in the kernel-doc of a header: (line number, lines). One begins after a line that ends with ::."""
    blocks, lines, inside = [], [], False
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line[3:] if line.startswith(" *\t") else None
        if inside and (text is not None or line == " *"):
            if text is not None:
                lines.append(text)
                blocks[-1] = (blocks[-1][0] or number, lines)
            elif lines:
                lines.append("")
        else:
            inside = line.startswith(" *") and line.endswith("::")
            if inside:
                lines = []
                blocks.append((0, lines))
    return [block for block in blocks if block[1]]


def write_header_blocks(root, out):
    for file in sorted((root / "c/include/linux").glob("*.h*")):
        for number, lines in header_blocks(file):
            code = [f'#line {number} "{file.relative_to(root)}"', *lines]
            if not lines[0].startswith("#"):
                code = ['#include "selftests/meta/docs/prelude.h"',
                        "static __maybe_unused int block(struct dm *dm, struct hmm_span span)", "{", "\tint ret = 0;", "\t{",
                        *code, "\t}", "\treturn ret;", "}"]
            (out / f"{file.name}-{number}.c").write_text("\n".join(code) + "\n")


def main():
    root = Path(sys.argv[1]).resolve()
    repository = Repository(root)
    pages = [Path(name) for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md") if (root / name).exists()]
    pages += sorted(path.relative_to(root) for path in (root / "docs").glob("*.md"))
    faults = unlisted(root, pages)
    for path in pages:
        page = Page(repository, path)
        page.check()
        faults += page.faults
        for language, suffix in CODE.items() if len(sys.argv) > 2 else ():
            text = page.source(language)
            if text:
                (Path(sys.argv[2]) / (path.stem + suffix)).write_text(text)
    if len(sys.argv) > 2:
        write_header_blocks(root, Path(sys.argv[2]))
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
