"""The build of the package: maturin's, with the command `rekindle` beside the library.

The command is built out of the checkout around this directory, and goes where pip puts programs. With
REKINDLE_WITHOUT_COMMAND=1 it is left out, and the build takes a part of the time.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from maturin import *  # noqa: F403
from maturin import build_editable as _build_editable
from maturin import build_wheel as _build_wheel

_HERE = pathlib.Path(__file__).resolve().parent.parent
_SCRIPTS = _HERE / "rekindle.data" / "scripts"


def _put_command() -> None:
    """Builds the command, and puts it where maturin takes programs from."""
    shutil.rmtree(_SCRIPTS.parent, ignore_errors=True)
    _SCRIPTS.mkdir(parents=True)
    manifest = _HERE.parent / "cli" / "Cargo.toml"
    if os.environ.get("REKINDLE_WITHOUT_COMMAND") or not manifest.is_file():
        print("the command `rekindle` is left out", file=sys.stderr)
        return
    words = ["cargo", "build", "--release", "--locked", "--manifest-path", str(manifest), "--bin", "rekindle"]
    subprocess.run(words, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", _HERE.parent / "target")) / "release"
    name = "rekindle.exe" if os.name == "nt" else "rekindle"
    shutil.copy2(target / name, _SCRIPTS / name)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """The wheel, with the command."""
    _put_command()
    return _build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel that leads here, with the command."""
    _put_command()
    return _build_editable(wheel_directory, config_settings, metadata_directory)
