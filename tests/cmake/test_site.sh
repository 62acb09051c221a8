#!/bin/sh
# The documentation site builds without a warning, its start page is README.md, each public function is in the reference, and links lead to what is there.
# usage: test_site.sh BUILD_DIR
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/tools/docs" "$work/site"
python3 - "$root" "$work/site" <<'PY'
import glob, html.parser, os, re, sys, urllib.parse
root, site = sys.argv[1:]


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(open(path, encoding="utf-8").read())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name"):
                self.ids.add(value)
            if name in ("href", "src") and value:
                self.links.append(value)


pages = {path: Page(path) for path in glob.glob(f"{site}/**/*.html", recursive=True)}
failures, checked = [], 0
for path, page in pages.items():
    for link in page.links:
        url = urllib.parse.urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(path), urllib.parse.unquote(url.path))) if url.path else path
        checked += 1
        if not os.path.exists(target):
            failures.append(f"{path}: {link} leads nowhere")
        elif url.fragment and target in pages and urllib.parse.unquote(url.fragment) not in pages[target].ids:
            failures.append(f"{path}: {link} has no such place")
reference = " ".join(open(path, encoding="utf-8").read() for path in glob.glob(f"{site}/docs/site/*.html"))
names = set()
for header in glob.glob(f"{root}/include/onnxrun/**/*.h", recursive=True):
    names |= set(re.findall(r"^ONR_API .*?\b(onr_\w+)\(", open(header, encoding="utf-8").read(), flags=re.M))
failures += [f"the reference lacks {name}" for name in names if f"{name}</span>" not in reference]
print(f"{len(pages)} pages, {checked} links, {len(names)} functions, {len(failures)} failures", *failures[:30], sep="\n")
sys.exit(bool(failures) or len(pages) < 20 or len(names) < 100)
PY
