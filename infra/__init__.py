"""What Passel is made of on AWS, defined once for deployments, local runs and tests."""
