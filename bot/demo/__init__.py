"""The rehearsal workspace: a Slack look-alike on this machine, for people and for the end-to-end tests."""
