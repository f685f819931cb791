"""Which mentions need a person, and what that person might say."""
