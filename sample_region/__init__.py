"""A fictional region, «Примерная область» (code 99), written as its suppliers would deliver it.

Every name, code and score is invented; see `sample_region.generate.write`.
"""
