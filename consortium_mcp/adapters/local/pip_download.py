"""Runs as a child process: fetches one wheel as pip would, and resumes an interrupted download.

pip knows the user's index, proxy, certificates and passwords, so pip's own finder and session find
and read the file. But pip keeps nothing of an interrupted download, so this module writes the file:
a second start asks only for the rest. pip calls these parts of itself internal. If they have
changed, this ends with `UNSUPPORTED`, and the caller uses pip's command line instead.

    python -m consortium_mcp.adapters.local.pip_download NAME VERSION PART

prints a line `HAVE TOTAL` (bytes) after each piece.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

UNSUPPORTED = 3
"""Exit code: this pip is built differently."""
NOT_FOUND = 4
"""Exit code: no reachable index has the wheel."""
_PIECE = 256 * 1024
_TRIES = 5


def main(name: str, version: str, part: Path) -> int:
    """Fetch `name==version` into `part`; return the exit code."""
    try:
        from pip._internal.commands import create_command  # noqa: PLC0415
        from pip._internal.network.utils import HEADERS  # noqa: PLC0415
        from pip._internal.utils.temp_dir import (  # noqa: PLC0415
            global_tempdir_manager,
        )
        from pip._vendor.packaging.specifiers import SpecifierSet  # noqa: PLC0415

        command: Any = create_command("download")
        wanted = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input", "-q", name]
        options, _ = command.parse_args(wanted)
        with command.main_context(), global_tempdir_manager():
            session = command.get_default_session(options)
            finder = command._build_package_finder(  # noqa: SLF001
                options=options, session=session, ignore_requires_python=True
            )
            best = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
            if best is None:
                return NOT_FOUND
            if best.link.is_file:
                part.write_bytes(Path(best.link.file_path).read_bytes())
                return 0
            _fetch(session, best.link.url_without_fragment, dict(HEADERS), part)
    except (ImportError, AttributeError, TypeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return UNSUPPORTED
    return 0


def _fetch(session: Any, url: str, headers: dict[str, str], part: Path) -> None:  # noqa: ANN401
    """Ask for the rest until all is there; after each try in vain, wait longer."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _fetch_rest(session, url, headers, part):
                return
        except OSError as error:  # requests' errors are OSErrors
            grown = part.exists() and part.stat().st_size > before
            failures = 0 if grown else failures + 1
            if failures == _TRIES:
                raise SystemExit(f"the download broke off: {type(error).__name__}") from None
            time.sleep(failures)


def _fetch_rest(session: Any, url: str, headers: dict[str, str], part: Path) -> bool:  # noqa: ANN401
    have = part.stat().st_size if part.exists() else 0
    ranged = {"Range": f"bytes={have}-"} if have else {}
    with session.get(url, headers=headers | ranged, stream=True) as response:
        if response.status_code == 416:  # noqa: PLR2004 (nothing is left after `have`)
            return True
        response.raise_for_status()
        if response.status_code == 200:  # noqa: PLR2004 (the whole file, from its start)
            have = 0
        total = have + int(response.headers.get("content-length", 0))
        with part.open("ab" if have else "wb") as file:
            for piece in response.iter_content(_PIECE):
                have += file.write(piece)
                print(have, total, flush=True)  # noqa: T201
    return have >= total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
