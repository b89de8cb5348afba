"""arazzo-runner at the other end of a pipe: `PYTHON bench/arazzo_peer.py ARAZZO_FILE WORKFLOW`, for `bench/reads.py`.

Runs in an environment of its own, since its pins are not ours (`python -m venv …`, `pip install arazzo-runner`), and so
imports nothing of ours. For each line that it reads it runs the workflow once and answers with a line: how it ended.
"""

import logging
import sys

from arazzo_runner import ArazzoRunner


def main() -> None:
    logging.disable(logging.CRITICAL)  # its log of each step would be measured, too
    runner = ArazzoRunner.from_arazzo_path(sys.argv[1])
    for _ in sys.stdin:
        result = runner.execute_workflow(sys.argv[2], {})
        ended = str(result.status.value) if len(result.outputs) == 3 else f"without its outputs: {result.error}"
        sys.stdout.write(ended + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
