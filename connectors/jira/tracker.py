"""Jira behind the port: one reader and one writer for Cloud and Data Center; the server says which one it is."""

from __future__ import annotations

from connectors.jira.reader import JiraReader
from connectors.jira.writer import JiraWriter

__all__ = ["JiraReader", "JiraWriter"]
