#!/usr/bin/env python3
"""Doxygen's input filter: the comments of our headers are plain C; Doxygen reads those that begin with two stars.

A comment on a line of its own belongs to what follows, one behind code to what is before it, and the first of a file to the file. Text in them is text:
what Doxygen would take for its own commands, for HTML or for links is escaped."""

import re
import sys

COMMENT = re.compile(r"/\*(?P<text>.*?)\*/", re.S)


def escape(text):
    # Stars at the beginning of lines are Doxygen's to drop; '---' headings are ours.
    return re.sub(r"([\\@<>#%&])", r"\\\1", text)


def convert(source):
    first = True

    def replace(match):
        nonlocal first
        text = escape(match["text"])
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
