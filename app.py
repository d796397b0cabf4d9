"""Passel on Chalice: wiring only."""

from chalice import Chalice

from chalicelib.api.airship.passes import passes
from chalicelib.api.airship.tags import tags
from chalicelib.api.airship.templates import templates
from chalicelib.api.airship.tickets import tickets
from chalicelib.api.middleware import speak_the_dialect
from chalicelib.workers.bulk import bulk
from chalicelib.workers.sweep import sweep

app = Chalice(app_name="passel")
app.register_middleware(speak_the_dialect, "http")

for blueprint in (tags, passes, templates, tickets, bulk, sweep):
    app.register_blueprint(blueprint)
