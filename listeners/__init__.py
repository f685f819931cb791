"""How to hear a platform, and how to answer on it."""
