"""Bedrock's runtime API on one machine: latency follows model and tokens, quotas refuse."""
