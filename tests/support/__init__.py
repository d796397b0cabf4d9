"""What several suites share: a running stack, an HTTP client, and counters of DynamoDB calls."""
