"""The first thing that runs on a device: read by the remote Python from its standard input.

It takes the agent as a zip, whose size, digest and folder are the next line, puts it into a new temporary
folder, says that it is there, and hands over to it.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

GREETING = "ltc-edge agent"


def begin() -> None:
    """Unpack and serve; one line that says why where that cannot be."""
    sys.dont_write_bytecode = True
    requests = sys.stdin.buffer
    # What anything prints must not come between answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    said = json.loads(requests.readline())
    folder = None
    try:
        if sys.version_info < (3, 9):  # noqa: UP036  whatever the device has reads this
            raise OSError(f"Python {sys.version.split()[0]} is too old: the agent needs 3.9")
        package = requests.read(said["bytes"])
        if hashlib.sha256(package).hexdigest() != said["sha256"]:
            raise OSError("the agent did not arrive as it was sent")
        parent = Path(said["folder"]).expanduser() if said["folder"] else None
        folder = Path(tempfile.mkdtemp(prefix="ltc-edge-", dir=parent))
        (folder / "agent.zip").write_bytes(package)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        where = f"{error.filename}: " if error.filename else ""
        answers.write(f"{GREETING}: {where}{error.strerror or error}\n".encode())
        answers.flush()
        return
    answers.write(f"{GREETING}\n".encode())
    answers.flush()
    os.chdir(folder)
    sys.path.insert(0, str(folder / "agent.zip"))
    from ltc_edge_agent.session import serve  # type: ignore[import-not-found]  # in the zip

    serve(requests, answers, folder, folder / "agent.zip")
    # A thread may still wait for a request; Python would abort over the stream that it holds.
    os._exit(0)
