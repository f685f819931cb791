"""The rehearsal workspace: a Slack look-alike and a stage, for people to try and for the tests to run on."""
