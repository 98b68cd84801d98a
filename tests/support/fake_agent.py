"""A program that stands in for `claude`, `codex` or `gemini`, by the name that it is called by.

    program = installed(folder, "claude")

What it does is named in the prompt: `case:sleeps`, `case:children`, `case:flag`, else it answers.
What it was given is in the file `seen-PID.json` in its folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ANSWER = "It is 42."


def installed(folder: Path, name: str) -> Path:
    """Make the program of this name in the folder, which belongs on the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text(encoding='utf-8')}")
    program.chmod(0o755)
    return program


def seen(folder: Path) -> list[dict[str, object]]:
    """What each call was given."""
    return [json.loads(each.read_text()) for each in sorted(folder.glob("seen-*.json"))]


def _answer(name: str) -> str:
    if name == "claude":
        usage = {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 2}
        return json.dumps({"result": ANSWER, "usage": usage, "total_cost_usd": 0.01})
    if name == "codex":
        item = {"type": "agent_message", "text": ANSWER}
        usage = {"input_tokens": 7, "output_tokens": 3}
        events = [{"type": "item.completed", "item": item}]
        events.append({"type": "turn.completed", "usage": usage})
        return "\n".join(json.dumps(event) for event in events)
    tokens = {"prompt": 7, "candidates": 2, "thoughts": 1}
    return json.dumps({"response": ANSWER, "stats": {"models": {"m": {"tokens": tokens}}}})


def main() -> None:
    """Be the program."""
    here, name = Path(__file__).parent, Path(__file__).name
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{name} 0.1.2\n")
        return
    if sys.argv[1:] in (["auth", "status"], ["login", "status"]):
        signed_in = (here / "signed-in").exists()
        logged = {"loggedIn": signed_in}
        said = "Logged in using ChatGPT" if signed_in else "Not logged in"
        sys.stdout.write(json.dumps(logged) if name == "claude" else said)
        sys.exit(0 if signed_in else 1)
    prompt = sys.stdin.read()
    given = {
        "arguments": sys.argv[1:], "prompt": prompt, "environment": dict(os.environ),
        "folder": [each.name for each in Path().iterdir()], "pid": os.getpid(),
    }  # fmt: skip
    if "case:children" in prompt:
        sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
        own_session = subprocess.Popen(sleeping, start_new_session=True)
        orphan = subprocess.run(
            [sys.executable, "-c", _STARTS_AND_ENDS], capture_output=True, text=True, check=True
        )
        given["children"] = [own_session.pid, int(orphan.stdout)]
    note = here / f"seen-{os.getpid()}.json"
    note.with_suffix(".part").write_text(json.dumps(given))
    note.with_suffix(".part").rename(note)
    if "case:flag" in prompt:
        sys.exit("error: unknown option '--tools'")
    if "case:sleeps" in prompt:
        time.sleep(600)
    sys.stdout.write(_answer(name))


_STARTS_AND_ENDS = """
import subprocess, sys
sleeps = "import time; time.sleep(600)"
quiet = subprocess.DEVNULL
made = subprocess.Popen(
    [sys.executable, "-c", sleeps], stdout=quiet, stderr=quiet, start_new_session=True
)
print(made.pid)
"""

if __name__ == "__main__":
    main()
