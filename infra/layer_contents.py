"""What of the installed dependencies Lambda gets. Paths are those inside `site-packages`; `*` stands for any text.

Packages that are not named here stay whole. Two lists cut: of some packages only what is listed stays, and what is
dropped anywhere is listed with the reason. A test imports and uses what stays from the archive alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

SERVICES = ("dynamodb", "s3", "secretsmanager", "sqs", "ssm")
"""of AWS, that functions call: what they call is in their policies"""

SERVICE_FILES = ("service-2.json", "service-2.sdk-extras.json", "endpoint-rule-set-1.json")
"""of a service; no function waits or pages with botocore, and examples are documentation"""

SERVICES_DATA = "botocore/data"
ENDPOINTS = f"{SERVICES_DATA}/endpoints.json"

LIBRARIES = "pillow.libs"
"""shared libraries, of which those stay that a remaining module needs"""

ONLY: Mapping[str, tuple[str, ...]] = {
    # Certificates of service accounts, signed tokens. The rest is other accounts, transports, asynchronous twins.
    "google": (
        *("auth/__init__.py", "auth/_agent_identity_utils.py", "auth/_cache.py", "auth/_cloud_sdk.py"),
        *("auth/_credentials_base.py", "auth/_default.py", "auth/_exponential_backoff.py", "auth/_helpers.py"),
        *("auth/_refresh_worker.py", "auth/_regional_access_boundary_utils.py", "auth/_service_account_info.py"),
        *("auth/credentials.py", "auth/environment_vars.py", "auth/exceptions.py", "auth/iam.py", "auth/jwt.py"),
        *("auth/metrics.py", "auth/version.py", "auth/crypt/*"),
        *("auth/transport/__init__.py", "auth/transport/_mtls_helper.py"),
        *("oauth2/__init__.py", "oauth2/_client.py", "oauth2/service_account.py"),
    ),
    # JPEG, PNG and GIF are read, PNG is written, profiles are applied, text is drawn. TIFF is how JPEG keeps its
    # orientation, MPO a JPEG of several pictures; BMP and PPM are looked for in any case.
    "PIL": (
        *("__init__.py", "_binary.py", "_deprecate.py", "_typing.py", "_util.py", "_version.py", "features.py"),
        *("_imaging.*.so", "_imagingcms.*.so", "_imagingft.*.so", "_imagingmath.*.so"),
        *("ExifTags.py", "TiffTags.py", "JpegPresets.py", "PaletteFile.py", "GimpGradientFile.py"),
        *("GimpPaletteFile.py", "Image.py", "ImageChops.py", "ImageCms.py", "ImageColor.py", "ImageDraw.py"),
        *(
            "ImageFile.py",
            "ImageFilter.py",
            "ImageFont.py",
            "ImageMath.py",
            "ImageMode.py",
            "ImageOps.py",
            "ImagePalette.py",
        ),
        *("ImageSequence.py", "ImageText.py"),
        *("BmpImagePlugin.py", "GifImagePlugin.py", "JpegImagePlugin.py", "MpoImagePlugin.py"),
        *("PngImagePlugin.py", "PpmImagePlugin.py", "TiffImagePlugin.py"),
    ),
}
"""Of these packages nothing else stays; each pattern is of at least one file."""

_FOR_PEOPLE = "for people who read or write programs, not for running them"
_CHALICE_CLI = "a part of Chalice's own command line, which has no place on Lambda"

DROPPED: Mapping[str, str] = {
    "*.pyi": _FOR_PEOPLE,
    "*/py.typed": _FOR_PEOPLE,
    "*/_tests/*": "tests of sniffio",
    "*.data/*": "scripts and manual pages",
    **dict.fromkeys(
        (
            *("pip/*", "setuptools/*", "_distutils_hack/*", "distutils-precedence.pth", "wheel/*", "packaging/*"),
            *("yaml/*", "_yaml/*", "inquirer/*", "blessed/*", "jinxed/*", "wcwidth/*", "readchar/*"),
            *("editor/*", "runs/*", "xmod/*"),
        ),
        _CHALICE_CLI,
    ),
    "click/*": "only the command line imports it, which runs on the operator's machine",
    "httpx/_main.py": "httpx's own command line",
    "segno/cli.py": "segno's own command line",
    "cffi/*": "writes bindings; cryptography has its own and needs the compiled _cffi_backend alone",
    "pycparser/*": "needed by cffi alone",
    "pyasn1/*": "for google-auth without cryptography",
    "pyasn1_modules/*": "for google-auth without cryptography",
    "google/auth/crypt/_python_rsa.py": "for google-auth without cryptography",
    "multipart/*": "the former name of python_multipart",
    "botocore/cacert.pem": "botocore takes the authorities of certifi, which httpx brings in any case",
    "dateutil/zoneinfo/*": "a second copy of the time zones; botocore writes and reads times in UTC",
    "dateutil/rrule.py": "recurring dates",
    "dateutil/tzwin.py": "Windows",
    "pydantic/v1/*": "the interface of pydantic 1",
    "pydantic/mypy.py": "for mypy",
    "urllib3/contrib/emscripten/*": "for browsers",
    "anyio/_backends/_trio.py": "for another event loop",
    "anyio/pytest_plugin.py": "for tests",
    "annotated_types/test_cases.py": "for tests",
    "tenacity/tornadoweb.py": "for another event loop",
}
"""What goes, and why."""


def is_kept(path: str) -> bool:
    """Whether the file belongs into the layer. Metadata of packages is another matter, and so are libraries."""
    if any(fnmatchcase(path, pattern) for pattern in DROPPED):
        return False
    if path.startswith(f"{SERVICES_DATA}/"):
        return is_kept_data(path.removeprefix(f"{SERVICES_DATA}/"))
    package, _, inside = path.partition("/")
    return package not in ONLY or any(fnmatchcase(inside, pattern) for pattern in ONLY[package])


def is_kept_data(path: str) -> bool:
    """Whether botocore needs the file: what lies on top, or the description of a service that is called."""
    service, _, inside = path.partition("/")
    return not inside or (service in SERVICES and inside.partition("/")[2].removesuffix(".gz") in SERVICE_FILES)


def list_unmatched(paths: list[str]) -> list[str]:
    """Patterns of `ONLY` that none of `paths` has: the package is laid out otherwise than when this was written.

    A package that is not installed is missed by nobody.
    """
    installed = {path.partition("/")[0] for path in paths}
    return [
        f"{package}/{pattern}"
        for package, patterns in ONLY.items()
        if package in installed
        for pattern in patterns
        if not any(fnmatchcase(path, f"{package}/{pattern}") for path in paths)
    ]
