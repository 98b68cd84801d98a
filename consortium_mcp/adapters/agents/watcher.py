"""Runs one program and ends its whole tree of processes: when it has ended, and when we have.

    python -I -S watcher.py PROGRAM [ARGUMENT ...]

Standard input brings a line with a number, then so many bytes, which are the program's standard
input; after that it stays open for as long as the program may run. Or the line is `stream`, and all
that follows goes to the program as it comes. When standard input closes, because the call
was given up or because whoever started this was killed, everything that the program has started is
killed. Output and exit code are the program's.

This runs in a bare interpreter, so that a start costs some 15 ms: standard library only.
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading

KILLED = 137
"""The exit code of a program that was killed from here."""


def main() -> None:
    """Run the program that the arguments name."""
    job = _job_object() if sys.platform == "win32" else None
    source = sys.stdin.buffer
    header = source.readline().strip() or b"0"
    is_stream = header == b"stream"
    prompt = b"" if is_stream else source.read(int(header))
    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's, meant for who started this
        _adopt_orphans()
    process = subprocess.Popen(  # noqa: S603 (what the adapter has put together)
        sys.argv[1:], stdin=subprocess.PIPE, start_new_session=sys.platform != "win32"
    )

    def end_with_the_lifeline() -> None:
        if is_stream:
            _pass_on(source, process.stdin)  # type: ignore[arg-type]
        source.read()
        _kill_tree(process.pid)
        os._exit(KILLED)

    threading.Thread(target=end_with_the_lifeline, daemon=True).start()
    try:
        if not is_stream:
            process.communicate(prompt)
    except OSError:  # it has not read all of its input
        pass
    process.wait()
    _kill_tree(process.pid)
    code = process.returncode
    del job
    os._exit(code if code >= 0 else 128 - code)


def _pass_on(source: io.BufferedReader, target: io.BufferedWriter) -> None:
    """Give the program what comes, until nothing more does or it listens no longer."""
    with contextlib.suppress(OSError):
        while chunk := source.read1(65_536):
            target.write(chunk)
            target.flush()


def _kill_tree(leader: int) -> None:
    """Kill the program's session and whatever has left it; on Windows the job does that."""
    if sys.platform == "win32":
        subprocess.run(  # noqa: S603 (the system's own)
            ["taskkill", "/F", "/T", "/PID", str(leader)],  # noqa: S607
            check=False,
            capture_output=True,
        )
        return
    # Twice: a process may start another one while the list is made.
    for _ in range(2):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        for pid in _descendants():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _descendants() -> list[int]:
    """All processes below this one, by `ps`, which is on every POSIX system."""
    found = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 (the system's own)
        check=False,
        capture_output=True,
        text=True,
    )
    parents = [line.split() for line in found.stdout.splitlines()]
    below = {os.getpid()}
    while True:
        more = {int(pid) for pid, parent in parents if int(parent) in below} - below
        if not more:
            return sorted(below - {os.getpid()})
        below |= more


def _adopt_orphans() -> None:
    """On Linux, become the parent of every descendant whose own parent ends."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 (only here)

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def _job_object() -> object:
    """On Windows, put this process into a job whose end kills all that are in it."""
    import ctypes  # noqa: PLC0415 (only here)

    kernel: object = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    job = kernel.CreateJobObjectW(None, None)  # type: ignore[attr-defined]
    # JOBOBJECT_EXTENDED_LIMIT_INFORMATION: the flags are its fifth 32-bit word.
    limits = (ctypes.c_uint32 * 36)()
    limits[4] = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
    kernel.SetInformationJobObject(job, 9, limits, ctypes.sizeof(limits))  # type: ignore[attr-defined]
    kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())  # type: ignore[attr-defined]
    return job


if __name__ == "__main__":
    main()
