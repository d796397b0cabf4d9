"""DynamoDB and SQS: everything that knows a key. Domain objects go in and come out."""
