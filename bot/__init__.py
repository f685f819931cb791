"""What we remember, what a person decides, what leaves the building."""
