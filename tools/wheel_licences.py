"""Puts the licences of the shared libraries that auditwheel has copied into wheels into their dist-info/licenses, a folder for each
package of the system: what /usr/share/doc/PACKAGE/copyright (dpkg) or /usr/share/licenses/PACKAGE (rpm) says.

usage: wheel_licences.py WHEEL...     needs the package wheel"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDERS = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/usr/local/lib64")


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def originals(copied):
    """Paths that a copy, libzip-1a2b3c4d.so.5.5, may be of: auditwheel puts a part of a digest into the name."""
    name = re.sub(r"-[0-9a-f]{8}(?=\.)", "", copied)
    for folder in map(pathlib.Path, FOLDERS):
        for found in (folder / name, *sorted(folder.glob(f"*-linux-*/{name}"))):
            if found.exists():
                yield from dict.fromkeys((str(found), os.path.realpath(found)))


def licence_of(copied):
    """(package, files) of the package that a library is of."""
    for path in originals(copied):
        if shutil.which("dpkg-query"):
            package = output("dpkg-query", "--search", path).split(":")[0]
            files = [pathlib.Path("/usr/share/doc", package, "copyright")]
        else:
            package = output("rpm", "--query", "--file", "--queryformat", "%{NAME}", path)
            files = sorted(pathlib.Path("/usr/share/licenses", package).rglob("*"))
        files = [file for file in files if file.is_file()]
        if package and files:
            return package, files
    sys.exit(f"wheel_licences.py: {copied}: no package of the system with a licence has it")


def add_licences(folder):
    """Of an unpacked wheel; how many packages there are."""
    (info,) = folder.glob("*.dist-info")
    packages = dict(licence_of(library.name) for library in sorted(folder.glob("*.libs/*.so*")))
    names = []
    for package, files in packages.items():
        target = info / "licenses" / package
        target.mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, target / file.name)
            names.append(f"{package}/{file.name}")
    head, blank, body = (info / "METADATA").read_text().partition("\n\n")
    (info / "METADATA").write_text(head + "".join(f"\nLicense-File: {name}" for name in names) + blank + body)
    return len(packages)


def main():
    for wheel in map(pathlib.Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as work:
            subprocess.run([sys.executable, "-m", "wheel", "unpack", "--dest", work, wheel], check=True, stdout=subprocess.DEVNULL)
            (folder,) = pathlib.Path(work).iterdir()
            count = add_licences(folder)
            wheel.unlink()
            subprocess.run([sys.executable, "-m", "wheel", "pack", "--dest-dir", wheel.parent, folder], check=True, stdout=subprocess.DEVNULL)
        print(f"{wheel.name}: licences of {count} packages")


if __name__ == "__main__":
    main()
