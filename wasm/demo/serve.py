#!/usr/bin/env python3
"""Serves the demo: serve.py [PORT]     then open http://localhost:PORT/demo/ (8000 by default)

With the two headers that let a page have threads; --plain: without them, as most servers are.
"""
import functools
import http.server
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm", ".js": "text/javascript"}
    isolated = True

    def end_headers(self):
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


class Plain(Handler):
    isolated = False


def make(port, isolated=True):
    handler = functools.partial(Handler if isolated else Plain, directory=str(ROOT))
    return http.server.ThreadingHTTPServer(("localhost", port), handler)


def main():
    words = [word for word in sys.argv[1:] if word != "--plain"]
    if len(words) > 1 or any(not word.isdigit() for word in words):
        print(__doc__, file=sys.stdout if words[0] in ("-h", "--help") else sys.stderr)
        return 0 if words[0] in ("-h", "--help") else 2
    server = make(int(words[0]) if words else 8000, "--plain" not in sys.argv)
    print(f"http://localhost:{server.server_address[1]}/demo/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
