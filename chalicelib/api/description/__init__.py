"""What the API says about itself: its description in OpenAPI 3.1, and a page to read it on."""
