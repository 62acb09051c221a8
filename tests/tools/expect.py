"""What the Python in the tests of the tool shares, as expect.sh is what their shell does: failures are told as they come, and counted."""
import subprocess
import sys

failures = 0


def fail(*what):
    global failures
    failures += 1
    print("FAIL:", *what)


def expect(words, code=0, error=None, **pipe):
    """Runs a command, without a standard input if pipe (of subprocess.run) names none: its exit code, and with `error` one line on standard
    error that has it."""
    done = subprocess.run(words, capture_output=True, timeout=60, **(pipe or {"stdin": subprocess.DEVNULL}))
    said = done.stderr.decode(errors="replace")
    if done.returncode != code or (error and (error not in said or said.count("\n") != 1)):
        fail([str(word)[:200] for word in words], "expected", code, error or "", "found", done.returncode, said[:1000])
    return done


def finish():
    print(failures, "failures")
    sys.exit(failures > 0)
