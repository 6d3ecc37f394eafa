"""Start-up: processor time of `holdfast --help` beside `python -c pass`, in turn.

python -m bench.startup [--runs N]
"""

import argparse
import sys
from pathlib import Path

from bench.measure import median, row, run

HOLDFAST = str(Path(sys.executable).with_name("holdfast"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=21)
    options = parser.parse_args()
    commands = ([sys.executable, "-c", "pass"], [HOLDFAST, "--help"])
    pairs = [tuple(run(command) for command in commands) for _ in range(options.runs)]
    nothing, helped = (median([pair[place] for pair in pairs]) for place in (0, 1))
    print(row("python -c pass", nothing))
    print(row("holdfast --help", helped, nothing))
    print(f"processor time: {helped.cpu / nothing.cpu:.1f} ×")


if __name__ == "__main__":
    main()
