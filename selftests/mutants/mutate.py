#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""mutate.py FILE [COMPILER ARGUMENT...]: list the mutants of a C file: name, line, what is changed to what.

A mutant is one small change of a function. Operators:

    flag      drop one operand of |
    call      remove a statement that calls a function and ignores its result
    negate    negate the condition of an if or of ?:
    less      < for <=, > for >=, and the reverse
    border    drop + 1 or - 1; one page for a PMD's
    swap      exchange two neighbouring statements, of which one is a call and none sets up an object
    zero      return 0 for an error or a variable
    ignore    remove an if that only returns or jumps
    logic     && for ||, and the reverse

The name is FILE:FUNCTION:OPERATOR:N, where N counts in the function. Assertions and tracepoints are left alone: a kernel
without them is right, too. So are conditions on the configuration. clang parses the file (python3-clang), so that the
extents are those of its syntax tree, also in the arguments of macros.

Mutants of a file are compiled together: each change becomes a branch on the number in the variable hmm_mutant, which the
program or kernel gets when it starts (schema()). 0 is the unchanged code.
"""

import ctypes
import os
import re
import sys
from collections import namedtuple

try:
    from clang import cindex
    from clang.cindex import CursorKind as Kind
except ImportError:
    cindex = None

# Statements that change nothing when all is well.
WITHOUT_EFFECT = re.compile(r"(lockdep_|VM_WARN|VM_BUG|WARN|BUILD_BUG|static_assert|might_|trace_|hmm_trace_|kunit_|pr_|dev_|"
                            r"cond_resched|cpu_relax|OPTIMIZER_HIDE_VAR|barrier\(|prefetch|instrument_|kasan_|kmsan_|ASSERT_EXCLUSIVE|data_race|"
                            r"hmm_waits_for_|mmap_assert_|lock_acquire|rwsem_acquire|lock_release|fs_reclaim_)")
# Before anything else can see an object, the order in which it is set up makes no difference.
SETUP = re.compile(r"(init_|INIT_|refcount_set|atomic\w*_set|mutex_init|spin_lock_init|\w*_init\(|memset\()")
BORDERS = {"PMD_SIZE": "PAGE_SIZE", "HPAGE_PMD_SIZE": "PAGE_SIZE", "HPAGE_PMD_NR": "1UL", "HPAGE_PMD_ORDER": "0",
           "PMD_ORDER": "0", "PTRS_PER_PTE": "(PTRS_PER_PTE - 1)"}
OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&"}
KEYWORDS = ("if", "for", "while", "do", "switch", "return", "goto", "break", "continue", "case", "default")

# What chooses the mutant: for a program, the environment; for a kernel, its command line (score).
DECLARATION = """\
#if !defined(HMM_MUTANT) && defined(KBUILD_MODNAME)
#define HMM_MUTANT
extern unsigned int hmm_mutant;
#elif !defined(HMM_MUTANT)
#define HMM_MUTANT
__attribute__((weak)) unsigned int hmm_mutant;
extern char *getenv(const char *name);
extern int atoi(const char *number);
__attribute__((weak, constructor)) void hmm_mutant_choose(void)
{
	const char *number = getenv("HMM_MUTANT");

	hmm_mutant = number ? atoi(number) : 0;
}
#endif
"""

# What becomes of a part of the file: the text in place of it. A statement's part includes its semicolon.
Edit = namedtuple("Edit", "start end text statement")


class Mutant:
    """One change: its name, its file (as the parser names it), and its edits."""

    def __init__(self, file, function, operator, edits, source):
        self.file, self.function, self.operator, self.edits = file, function, operator, edits
        first, last = min(edit.start for edit in edits), max(edit.end for edit in edits)
        self.line = source.count("\n", 0, first) + 1
        self.start = first
        new = apply(source[first:last], [Edit(e.start - first, e.end - first, e.text, e.statement) for e in edits])
        self.change = "%s -> %s" % (brief(source[first:last]), brief(new) or ";")
        self.name = None

    def number(self, n):
        self.name = "%s:%s:%s:%d" % (os.path.basename(self.file), self.function, self.operator, n)


def brief(text):
    """On one line, without comments."""
    return " ".join(strip(text, False).split())


def strip(text, strings=True):
    """Blank out comments and the inside of strings; offsets stay."""
    def blank(match):
        if match[0][0] == "/":
            return re.sub(r"[^\n]", " ", match[0])
        return '"' + " " * (len(match[0]) - 2) + '"' if strings and match[0][0] == '"' else match[0]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def apply(source, edits):
    """The text with its edits."""
    for edit in sorted(edits, reverse=True):
        source = source[:edit.start] + edit.text + source[edit.end:]
    return source


def schema(source, numbered):
    """The text with all mutants of the list [(number, mutant)], of which hmm_mutant chooses one."""
    edits = sorted(((edit, number) for number, mutant in numbered for edit in mutant.edits),
                   key=lambda pair: (pair[0].start, -pair[0].end, pair[1]))

    def render(start, end, inner):
        out, at = [], start
        while inner:
            edit, number = inner.pop(0)
            below = []
            while inner and inner[0][0].start < edit.end:
                below.append(inner.pop(0))
            original = render(edit.start, edit.end, below)
            if edit.statement:
                part = "{ if (hmm_mutant == %d) { %s } else { %s } }" % (number, edit.text, original)
            else:
                part = "(hmm_mutant == %d ? (%s) : (%s))" % (number, edit.text, original)
            out += [source[at:edit.start], part]
            at = edit.end
        return "".join(out) + source[at:end]

    return DECLARATION + "#line 1\n" + render(0, len(source), edits)


class ParseError(Exception):
    pass


class Parser:
    """The mutants of the files of one translation unit."""

    def __init__(self, path, arguments, wanted):
        """wanted: a function of the name of a file: whether its mutants are wanted."""
        if cindex is None:
            raise ParseError("there is no python3-clang: run 'make doctor'")
        register_file_location()
        try:
            self.unit = cindex.Index.create().parse(path, args=arguments)
        except cindex.TranslationUnitLoadError:
            raise ParseError("%s: clang cannot read it" % path) from None
        errors = [d for d in self.unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if errors:
            raise ParseError("%s:%d: %s" % (errors[0].location.file or path, errors[0].location.line, errors[0].spelling))
        self.wanted = wanted
        self.sources, self.stripped, self.found = {}, {}, []
        self.file = self.function = self.result = None
        for cursor in self.unit.cursor.get_children():
            file = cursor.location.file
            if cursor.kind == Kind.FUNCTION_DECL and cursor.is_definition() and file and wanted(file.name):
                self.in_function(cursor, os.path.normpath(file.name))

    def includes(self):
        return [os.path.normpath(include.include.name) for include in self.unit.get_includes()]

    def mutants(self):
        """In the order of the files; with their names."""
        counts = {}
        unique = {(m.file, tuple(m.edits)): m for m in reversed(self.found)}
        for mutant in sorted(unique.values(), key=lambda m: (m.file, m.start, m.operator, m.edits)):
            key = mutant.file, mutant.function, mutant.operator
            counts[key] = counts.get(key, 0) + 1
            mutant.number(counts[key])
        return sorted(unique.values(), key=lambda m: (m.file, m.start, m.operator, m.edits))

    def in_function(self, cursor, file):
        if file not in self.sources:
            with open(file, encoding="utf-8", newline="") as text:
                # libclang counts bytes.
                self.sources[file] = text.read()
            if not self.sources[file].isascii():
                raise ParseError("%s: only ASCII can be mutated" % file)
            self.stripped[file] = strip(self.sources[file])
        self.file, self.function = file, cursor.spelling
        self.result = cursor.result_type.get_canonical().kind
        self.borders(cursor)
        self.visit(cursor)

    def extent(self, cursor):
        """Start and end of what is written in the file, also in a macro's arguments; None if it is elsewhere."""
        place = []
        for location in (cursor.extent.start, cursor.extent.end):
            file, offset = cindex.c_object_p(), ctypes.c_uint()
            cindex.conf.lib.clang_getFileLocation(location, ctypes.byref(file), None, None, ctypes.byref(offset))
            if not file or os.path.normpath(cindex.File(file).name) != self.file:
                return None
            place.append(offset.value)
        return tuple(place) if place[0] < place[1] else None

    def text(self, extent):
        return self.stripped[self.file][extent[0]:extent[1]]

    def add(self, operator, *edits):
        # Without the condition it calls functions that this kernel does not have, and cannot be linked.
        if operator in ("negate", "ignore", "logic") and "IS_ENABLED(" in self.text((edits[0].start, edits[0].end)):
            return
        self.found.append(Mutant(self.file, self.function, operator, edits, self.sources[self.file]))

    def replace(self, operator, extent, text):
        self.add(operator, Edit(extent[0], extent[1], text, False))

    def remove(self, operator, extent):
        self.add(operator, Edit(extent[0], extent[1], ";", True))

    def source_of(self, extent):
        return self.sources[self.file][extent[0]:extent[1]]

    def borders(self, cursor):
        extent = self.extent(cursor)
        if not extent:
            return
        text = self.text(extent)
        body = text.find("{")
        for match in re.finditer(r"\b(%s)\b" % "|".join(BORDERS), text):
            line = text.rfind("\n", 0, match.start()) + 1
            if match.start() > body >= 0 and not text[line:].lstrip().startswith("#"):
                self.replace("border", (extent[0] + match.start(), extent[0] + match.end()), BORDERS[match[0]])

    def visit(self, cursor):
        for child in cursor.get_children():
            if child.kind == Kind.VAR_DECL and child.storage_class == cindex.StorageClass.STATIC:
                continue
            extent = self.extent(child)
            if extent:
                self.mutate(child, extent)
            self.visit(child)

    def mutate(self, cursor, extent):
        kind = cursor.kind
        if kind == Kind.BINARY_OPERATOR:
            self.binary(cursor, extent)
        elif kind == Kind.CONDITIONAL_OPERATOR:
            self.conditional(cursor, extent)
        elif kind == Kind.IF_STMT and self.starts(extent, "if"):
            self.condition(cursor, extent)
        elif kind == Kind.RETURN_STMT and self.starts(extent, "return"):
            self.returned(cursor, extent)
        elif kind == Kind.COMPOUND_STMT and self.text(extent).startswith("{"):
            self.statements(cursor)
        elif kind in (Kind.FOR_STMT, Kind.WHILE_STMT, Kind.LABEL_STMT, Kind.CASE_STMT, Kind.DEFAULT_STMT):
            children = list(cursor.get_children())
            if children:
                self.call(children[-1])

    def starts(self, extent, keyword):
        return re.match(r"%s\b" % keyword, self.text(extent))

    def between(self, first, second):
        """The text between two operands, if it is written in the file."""
        return self.text((first[1], second[0])).strip() if first[1] <= second[0] else None

    def operands(self, cursor, extent):
        children = [self.extent(child) for child in cursor.get_children()]
        if len(children) != 2 or None in children:
            return None
        first, second = children
        if not extent[0] <= first[0] < first[1] <= second[0] < second[1] <= extent[1]:
            return None
        return first, second

    def binary(self, cursor, extent):
        sides = self.operands(cursor, extent)
        if not sides:
            return
        first, second = sides
        sign = self.between(first, second)
        left, right = self.source_of(first), self.source_of(second)
        if sign == "|":
            self.replace("flag", extent, left)
            if not self.is_or(next(cursor.get_children())):
                self.replace("flag", extent, right)
        elif sign in ("<", "<=", ">", ">="):
            self.replace("less", extent, "%s %s %s" % (left, OTHER[sign], right))
        elif sign in ("&&", "||"):
            self.replace("logic", extent, "(%s) %s (%s)" % (left, OTHER[sign], right))
        elif sign in ("+", "-") and re.fullmatch(r"1U?L?", right):
            self.replace("border", extent, left)

    def is_or(self, cursor):
        """Whether an expression is one of |, which then drops its own operands."""
        while cursor.kind in (Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR):
            cursor = next(cursor.get_children())
        extent = self.extent(cursor)
        sides = cursor.kind == Kind.BINARY_OPERATOR and extent and self.operands(cursor, extent)
        return bool(sides) and self.between(*sides) == "|"

    def conditional(self, cursor, extent):
        children = [self.extent(child) for child in cursor.get_children()]
        if len(children) != 3 or None in children:
            return
        if self.between(children[0], children[1]) == "?" and self.between(children[1], children[2]) == ":":
            self.negate(children[0])

    def negate(self, extent):
        self.replace("negate", extent, "!(%s)" % self.source_of(extent))

    def condition(self, cursor, extent):
        children = list(cursor.get_children())
        places = [self.extent(child) for child in children]
        if len(children) < 2 or None in places[:2]:
            return
        if self.text((extent[0] + 2, places[0][0])).strip(" \t\n") == "(":
            self.negate(places[0])
        if len(children) == 2 and self.is_exit(children[1], places[1]):
            whole = self.with_semicolon((extent[0], places[1][1]), children[1].kind)
            if whole:
                self.remove("ignore", whole)
        for child in children[1:]:
            self.call(child)

    def is_exit(self, cursor, extent):
        if cursor.kind == Kind.COMPOUND_STMT:
            children = list(cursor.get_children())
            extent = self.extent(children[-1]) if children else None
        return extent and re.match(r"(return|goto)\b", self.text(extent))

    def with_semicolon(self, extent, kind):
        """The extent of a statement with its semicolon."""
        if kind == Kind.COMPOUND_STMT:
            return extent
        rest = re.compile(r"\s*;").match(self.stripped[self.file], extent[1])
        return (extent[0], rest.end()) if rest else None

    def returned(self, cursor, extent):
        child = next(cursor.get_children(), None)
        place = child and self.extent(child)
        if not place or self.result not in (cindex.TypeKind.INT, cindex.TypeKind.LONG):
            return
        if re.fullmatch(r"-E[A-Z]+|[a-z]\w*", self.text(place).strip()):
            self.replace("zero", place, "0")

    def expression_statement(self, cursor):
        """The extent of a statement that is an expression, or None."""
        extent = self.extent(cursor)
        if not extent or cursor.kind == Kind.DECL_STMT:
            return None
        text = self.text(extent)
        if text.startswith(("{", ";")) or re.match(r"(%s)\b" % "|".join(KEYWORDS), text):
            return None
        if WITHOUT_EFFECT.match(text):
            return None
        return self.with_semicolon(extent, cursor.kind)

    def is_call(self, extent):
        """f(...); and x->f(...); are calls, a = f(...); is none."""
        text = self.text(extent)
        match = re.match(r"(?:\(void\)\s*)?\w[\w.]*(?:->[\w.]+)*\s*\(", text)
        if not match:
            return False
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        return text[at:].strip() == ";"

    def call(self, cursor):
        extent = self.expression_statement(cursor)
        if extent and self.is_call(extent):
            self.remove("call", extent)

    def statements(self, cursor):
        last = None
        for child in cursor.get_children():
            extent = self.expression_statement(child)
            if extent and self.is_call(extent):
                self.remove("call", extent)
            if extent and last and self.text((last[1], extent[0])).strip() == "" and \
                    (self.is_call(extent) or self.is_call(last)) and self.text(last) != self.text(extent) and \
                    not any(SETUP.match(self.text(statement)) for statement in (last, extent)):
                self.add("swap", Edit(*last, self.source_of(extent), True), Edit(*extent, self.source_of(last), True))
            last = extent


def register_file_location():
    """What the Python binding leaves out of libclang."""
    lib = cindex.conf.lib
    lib.clang_getFileLocation.argtypes = [cindex.SourceLocation] + [ctypes.c_void_p] * 4
    lib.clang_getFileLocation.restype = None


def main():
    if len(sys.argv) < 2 or sys.argv[1] == "-h":
        print(__doc__)
        return 0
    path = os.path.normpath(sys.argv[1])
    try:
        mutants = Parser(path, sys.argv[2:], lambda file: os.path.normpath(file) == path).mutants()
    except ParseError as error:
        print("tandem: %s" % error, file=sys.stderr)
        return 1
    for mutant in mutants:
        print("%s\t%d\t%s" % (mutant.name, mutant.line, mutant.change))
    return 0


if __name__ == "__main__":
    sys.exit(main())
