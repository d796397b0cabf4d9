"""Passel on a laptop: `python -m local` runs the whole stack with nothing to install by hand.

DynamoDB is dynoxide (on disk), SQS is moto's server (in memory), Chalice's local server answers HTTP and a pump hands
queue messages to the workers as Lambda would. For development only: nothing here is part of a deployment.
"""
