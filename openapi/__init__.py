"""The description of the API in OpenAPI 3.1, made from what routes declare and from the models they name.

`make openapi` writes it to `chalicelib/api/description/openapi.json`, which the service serves at `/openapi.json`. It
is a tool for development: Lambda gets the file alone.
"""
