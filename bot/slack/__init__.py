"""The only rooms that know Slack: what people see there, and what they press."""
