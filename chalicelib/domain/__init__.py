"""The rules of Passel: pure functions and dataclasses. Nothing here knows AWS, Chalice or a database."""
