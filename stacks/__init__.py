"""WHERE it runs: the CDK app."""
