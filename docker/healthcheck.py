"""`healthcheck.py PART`: exit 0 when Airflow's API says that PART (scheduler, triggerer, …) is healthy.

`airflow jobs check` tells the same, but costs seconds of processor time at every call.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.request import urlopen


def main(part: str) -> int:
    base = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].removesuffix("/execution/")
    with urlopen(f"{base}/api/v2/monitor/health", timeout=10) as response:
        return int(json.load(response)[part]["status"] != "healthy")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
