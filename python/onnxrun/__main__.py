"""python -m onnxrun: the tool, with its own command lines."""

import os
import signal
import sys
from typing import NoReturn

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "onnxrun")


def main() -> NoReturn:
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and so would the tool
    os.execv(TOOL, ["onnxrun", *sys.argv[1:]])


if __name__ == "__main__":
    main()
