"""Pages and pictures made from the marts."""
