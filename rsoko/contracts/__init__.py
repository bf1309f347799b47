"""What a source is, described once: the yml of sources and vocabularies, the contract model, raw DDL."""
