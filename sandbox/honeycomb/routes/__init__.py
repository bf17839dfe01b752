"""The HTTP surface, a file for each part of Honeycomb's API."""
