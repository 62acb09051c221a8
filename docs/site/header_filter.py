#!/usr/bin/env python3
"""Doxygen's input filter: the comments of our headers are plain C; Doxygen reads those that begin with two stars.

A comment on a line of its own belongs to what follows, one behind code to what is before it, and the first of a file to the file. Lines that are
indented are code, a table, or a list of words with what they mean; `words` are code. All other text is text: what Doxygen would take for its own
commands, for HTML or for links is escaped."""

import re
import sys

COMMENT = re.compile(r"/\*(?P<text>.*?)\*/", re.S)
STAR = re.compile(r"^ *\* ?")
TERM = re.compile(r"(\S[^;]*?) {2,}(\S.*)")


def escape(text):
    # Stars at the beginning of lines are Doxygen's to drop; '---' headings are ours.
    return re.sub(r"`([^`\n]+)`", r"<tt>\1</tt>", re.sub(r"([\\@<>#%&])", r"\\\1", text))


def block(lines):
    """Indented lines, without their stars: as Doxygen writes them."""
    least = min(len(line) - len(line.lstrip()) for line in lines)
    lines = [line[least:] for line in lines]
    terms = [TERM.fullmatch(line) for line in lines if not line.startswith(" ")]
    if not all(terms) or any("   " in term[2] for term in terms):
        return ["\\verbatim", *lines, "\\endverbatim"]
    items = []
    for line in lines:
        term = None if line.startswith(" ") else TERM.fullmatch(line)
        items.append(f"- <b>{escape(term[1])}</b> {escape(term[2])}" if term else f"  {escape(line.strip())}")
    return [*items, ""]


def text_of(comment):
    """Of a comment, with what is indented in it told apart."""
    first, *rest = comment.split("\n")
    if not rest or not all(STAR.match(line) for line in rest if line.strip()):
        return escape(comment)
    found, indented = [escape(first)], []
    for line in [STAR.sub("", line) for line in rest] + [""]:
        if line.startswith("  "):
            indented.append(line.rstrip())
            continue
        if indented:
            found += ["", *block(indented)]
            indented = []
        found.append(escape(line))
    return "\n".join(found)  # without stars, which would stay in what is verbatim


def convert(source):
    first = True

    def replace(match):
        nonlocal first
        text = text_of(match["text"])
        before = source[source.rfind("\n", 0, match.start()) + 1 : match.start()]
        if first:
            first = False
            return f"/** \\file\n{text}*/"
        if re.match(r" ?---", match["text"]):  # a heading belongs to nothing
            return match[0]
        return f"/**< {text}*/" if before.strip() else f"/** {text}*/"

    return COMMENT.sub(replace, source)


def split(source):
    """Each name of a struct by itself: Doxygen takes them for one."""
    return re.sub(
        r"^( *)(struct \w+) (\w+(?:, \w+)+);",
        lambda m: m[1] + " ".join(f"{m[2]} {name};" for name in m[3].split(", ")),
        source,
        flags=re.M,
    )


sys.stdout.write(split(convert(open(sys.argv[1], encoding="utf-8").read())))
