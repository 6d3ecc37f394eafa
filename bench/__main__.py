"""All measurements that need no more than this checkout: `python -m bench [--shared DIR]`."""

import subprocess
import sys

for name in ("startup", "scan", "advisories"):
    arguments = sys.argv[1:] if name != "startup" else []
    if name == "advisories" and "--shared" not in arguments:
        continue
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], check=False)
