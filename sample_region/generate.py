"""Write the deliveries of the sample region.

`<target>/inbox/<source>/…` first deliveries, `<target>/corrections/<source>/…` later ones that supersede them,
`<target>/broken/<source>/…` files that a gate must stop or clean, `<target>/manifest.csv` what is expected of each,
`<target>/truth.csv` what the schools really did. Same seed and scale: same bytes. Files of
`as_written/<source>/` are delivered as they are.
"""

from __future__ import annotations

from pathlib import Path

from sample_region import broken, catalogue, control, corrections, gia, monitoring, registers, staff, vpr
from sample_region.assessment import Generation, schemes
from sample_region.courier import Courier, moment
from sample_region.manifest import Manifest
from sample_region.region import YEARS, build

AS_WRITTEN = Path(__file__).parent / "as_written"
"""`<source>/*.csv` of sources that need no generator."""


def write(target: Path, *, seed: int = 20261, scale: float = 1.0) -> Manifest:
    """Write the whole sample region under `target`; `scale` below 1 makes it smaller, with the same kinds of files.

    Files that are already there are overwritten; the list of deliveries is returned and also written as `manifest.csv`.
    """
    region = build(seed, scale)
    courier = Courier(Path(target))
    generation = Generation(region, schemes(region))
    results = list(generation.vpr())
    courier.manifest.truths.extend(generation.schemes.truths(region))
    registers.deliver(courier, region)
    vpr.deliver(courier, region, results)
    gia.deliver(courier, generation)
    staff.deliver(courier, region)
    monitoring.deliver_surveys(courier, region)
    monitoring.deliver_preschool(courier, region)
    catalogue.deliver(courier, region)
    control.deliver(courier, generation, results)
    courier.deliver_as_written(AS_WRITTEN, at=moment(YEARS[-1], 12, 1))
    corrections.deliver(courier, generation, results)
    broken.deliver(courier, generation, results)
    courier.manifest.write()
    return courier.manifest
