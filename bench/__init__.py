"""Measurements of rsoko against its peers and physical limits: `make bench`."""
