"""Passel on Chalice: wiring only.

On Lambda this is the function of the API, which imports the routes that it is asked for. Anywhere else it is the whole
application: what is packaged, run locally and tested.
"""

from chalice import Chalice

from chalicelib.api.middleware import observe_request, speak_the_dialect
from chalicelib.api.on_demand import Routes
from chalicelib.api.requests import PKPASS
from chalicelib.api.safe_headers import add_safe_headers
from chalicelib.logs import is_on_lambda

app = Chalice(app_name="passel")
app.api.binary_types += [PKPASS, "multipart/form-data", "text/css", "text/javascript"]
app.register_middleware(observe_request, "http")
app.register_middleware(add_safe_headers, "http")
app.register_middleware(speak_the_dialect, "http")
app.routes = routes = Routes(app)

if not is_on_lambda():
    from chalicelib.workers.bulk import bulk
    from chalicelib.workers.callbacks import callbacks
    from chalicelib.workers.push import push
    from chalicelib.workers.sweep import sweep
    from chalicelib.workers.watch import watch

    routes.register_all()
    for blueprint in (bulk, push, callbacks, sweep, watch):
        app.register_blueprint(blueprint)
