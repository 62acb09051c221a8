"""The site: README.md as its start page, the guides of docs/, and what Doxygen reads in the headers. tools/docs runs Sphinx with this file on the
checkout itself, so links between files are what they are there."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

project = "onnxrun"
author = "the authors of onnxrun"
version = release = ".".join(re.findall(r"ONR_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", (ROOT / "include/onnxrun/version.h").read_text()))
copyright = author
root_doc = "README"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "docs/site/*.md", "wasm/README.md"]
extensions = ["myst_parser", "breathe"]
myst_heading_anchors = 3
# A struct and a function of its name (onr_weight) are two things in C, and one to Sphinx.
suppress_warnings = ["duplicate_declaration.c"]

breathe_default_project = "onnxrun"
breathe_domain_by_extension = {"h": "c", "hpp": "cpp"}
breathe_show_include = False

html_theme = "furo"
html_title = f"onnxrun {version}"
html_copy_source = html_show_sourcelink = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
highlight_language = "none" # of blocks that do not say theirs
pygments_style = "default"
pygments_dark_style = "github-dark"

# The order of the menu; a page that is in none of them is a warning, and so an error.
MENU = {
    "Guides": ["load", "inputs", "shapes", "deploy", "packed_weights", "optimise", "quantise", "compile", "small", "devices", "language_models", "debugging",
               "profile", "your_own_layer"],
    "Languages": ["python", "cpp", "/wasm/README", "export_from_python", "onnxrun_domain"],
    "Tables": ["zoo", "speed"],
    "Reference": ["site/c_api", "site/layers", "site/networks", "site/cpp_api"],
    "The project": ["what_a_change_touches", "/CHANGELOG", "/CONTRIBUTING", "/SECURITY"],
}  # fmt: skip


def menu():
    for caption, pages in MENU.items():
        names = [page[1:] if page.startswith("/") else f"docs/{page}" for page in pages]
        yield "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```", ""])


def read(app, name, text):
    """Files that are named become links to their pages, and the start page gets the menu."""
    up = "../" * name.count("/")
    text[0] = re.sub(r"(?<!\[)`((?:docs/)?\w+)\.md`(?!\])", lambda m: linked(name, up, m), text[0])
    if name == root_doc:
        text[0] += "\n\n" + "\n".join(menu())


def linked(name, up, match):
    page = match[1]
    known = (ROOT / f"{page}.md").exists() and (page == "README" or page.isupper() or page.startswith("docs/"))
    return f"[{match[0]}]({up}{page}.md)" if known and page != name else match[0]


def finish(app, failure):
    if not failure:
        shutil.copy(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def check_headers(app):
    """Each public header is on a page."""
    pages = " ".join(p.read_text() for p in (ROOT / "docs/site").glob("*.md"))
    for header in (ROOT / "include/onnxrun").rglob("*.h*"):  # their names are told apart by the file name
        if f"{{doxygenfile}} {header.name}\n" not in pages:
            raise RuntimeError(f"docs/site: no page has {header.name}")


def setup(app):
    app.connect("builder-inited", check_headers)
    app.connect("source-read", read)
    app.connect("build-finished", finish)
