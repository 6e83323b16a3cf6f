"""A GitLab server for tests, demos and ``warranty sandbox``: real HTTP and GraphQL over the sandbox's store."""

from connectors.gitlab.stand_in.app import app

__all__ = ["app"]
