"""A stand-in for Honeycomb on DuckDB: OTLP in, Query Data API, SLOs, burn alerts, webhooks.

Where Honeycomb's own documentation leaves something open, the reading that is harder on the
client is the one built here; each such place says so.
"""
