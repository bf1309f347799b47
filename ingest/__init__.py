"""Files: readers, typing of cells, the landing zone, the ledger and COPY. No domain rules and no SQL business logic."""

import os

# Reading, typing and COPY run side by side, and PostgreSQL takes longer over a batch than one thread over any of them:
# more threads of polars would only take processors from it and hold more memory. Read when polars is first imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
