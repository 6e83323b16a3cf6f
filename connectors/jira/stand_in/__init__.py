"""A Jira server for tests, demos and ``warranty sandbox``: real HTTP in two dialects over the sandbox's store."""

from connectors.jira.stand_in.app import cloud_app, dc_app

__all__ = ["cloud_app", "dc_app"]
