"""Text cells → typed columns; what is derived of them, one module a source."""
