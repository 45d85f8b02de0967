"""A worker process of Beam's direct runner: Beam's own, which ends when its parent is gone."""

import importlib
import os
import sys
import threading


def main() -> None:
    """Work for the process at the other end of standard input; Beam has put all else into the environment.

    The arguments are modules that have TensorFlow know a filesystem.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for name in sys.argv[1:]:
        importlib.import_module(name)
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written: it returns at the end
    os._exit(1)  # Beam's threads wait for an answer that never comes


if __name__ == "__main__":
    main()
