"""Command line: `python -m sample_region TARGET [--seed N] [--scale X]`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from sample_region.generate import write


@click.command(help="Записать файлы поставщиков вымышленной «Примерной области» в каталог TARGET.")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=20261, show_default=True, help="Число, от которого зависит всё содержимое.")
@click.option("--scale", default=1.0, show_default=True, type=click.FloatRange(0.1, 1.0), help="Доля полного размера.")
def main(target: Path, seed: int, scale: float) -> None:
    manifest = write(target, seed=seed, scale=scale)
    for source, count in sorted(Counter(delivery.source for delivery in manifest.deliveries).items()):
        click.echo(f"{source:24} файлов: {count:3}, строк: {sum(d.rows for d in manifest.of(source)):7}")
    click.echo(f"Список поставок: {manifest.target / 'manifest.csv'}")


if __name__ == "__main__":
    main()
