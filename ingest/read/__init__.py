"""Bytes of a delivery → blocks of text cells under canonical column names."""
