"""Passel on Chalice: wiring only."""

from chalice import Chalice

from chalicelib.api.airship.callbacks import callbacks as callback_settings
from chalicelib.api.airship.downloads import downloads
from chalicelib.api.airship.passes import passes
from chalicelib.api.airship.tags import tags
from chalicelib.api.airship.templates import templates
from chalicelib.api.airship.tickets import tickets
from chalicelib.api.google.callbacks import google
from chalicelib.api.middleware import observe_request, speak_the_dialect
from chalicelib.api.pages import pages
from chalicelib.api.passkit.delivery import PKPASS
from chalicelib.api.passkit.devices import devices
from chalicelib.api.passkit.logs import logs
from chalicelib.api.passkit.passes import latest_passes
from chalicelib.api.passkit.personalization import personalization
from chalicelib.api.passworks.assets import assets
from chalicelib.api.passworks.campaigns import campaigns
from chalicelib.api.passworks.certificates import certificates
from chalicelib.api.passworks.passes import campaign_pass_routes
from chalicelib.api.passworks.ping import ping
from chalicelib.api.passworks.redeems import redeems
from chalicelib.api.passworks.registrations import registrations
from chalicelib.api.passworks.reports import reports
from chalicelib.api.passworks.templates import passworks_templates
from chalicelib.api.safe_headers import add_safe_headers
from chalicelib.api.uploads import uploads
from chalicelib.workers.bulk import bulk
from chalicelib.workers.callbacks import callbacks
from chalicelib.workers.push import push
from chalicelib.workers.sweep import sweep
from chalicelib.workers.watch import watch

app = Chalice(app_name="passel")
app.api.binary_types += [PKPASS, "multipart/form-data"]
app.register_middleware(observe_request, "http")
app.register_middleware(add_safe_headers, "http")
app.register_middleware(speak_the_dialect, "http")

for blueprint in (
    *(tags, passes, templates, tickets, downloads, callback_settings),
    *(ping, assets, certificates, passworks_templates),
    *(campaigns, campaign_pass_routes, registrations, redeems, reports),
    *(devices, latest_passes, personalization, logs, google),
    *(pages, uploads),
    *(bulk, push, callbacks, sweep, watch),
):
    app.register_blueprint(blueprint)
