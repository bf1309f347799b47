"""Simulated regions with planted manipulations, and how well the objectivity signs find them: `make calibrate`."""
