"""Bodies of wallets, of Google, and of uploads, for the description alone (wallets, 2.2, 3.4, 4.1; passworks-v2, 9).

Their routes read them by hand: what they read is little, and devices need not wait until pydantic is imported. A test
holds these models against them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.schemas.bounds import DEFAULTS, END, Shown


class RegistrationBody(BaseModel):
    """Where a device is pushed."""

    model_config = ConfigDict(
        extra="ignore", defer_build=True, json_schema_extra={"examples": [{"pushToken": "a1b2c3d4"}]}
    )

    pushToken: Annotated[
        str,
        Field(min_length=1, max_length=DEFAULTS.push_token_characters),
        Shown({"pattern": r"^[^\x00-\x1f\x7f-\xa0]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\xa0]*" + END}),
    ] = Field(description="Printable, and not blank.")
    pushServiceUrl: Any = Field(
        None,
        description="Of PassWallet: an address to push to. Without a usable one the device just asks now and then.",
    )


class LogBody(BaseModel):
    """What a wallet has to complain about; anything else is dropped."""

    model_config = ConfigDict(
        extra="ignore", defer_build=True, json_schema_extra={"examples": [{"logs": ["something went wrong"]}]}
    )

    logs: Any = Field(None, description="Texts, at most 100 of at most 2000 characters; what is longer is cut.")


class SigningKey(BaseModel):
    """Google's key of a while."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    signedKey: str = Field(description="A JSON document as a text: the key, and when it ends.")
    signatures: list[str] = Field(description="Google's signatures of `signedKey`, in base64.")


GOOGLE_EXAMPLE: Final[dict[str, Any]] = {
    "protocolVersion": "ECv2SigningOnly",
    "signature": "MEUCIQDx",
    "intermediateSigningKey": {
        "signedKey": '{"keyValue":"MFkwEwYH","keyExpiration":"1893456000000"}',
        "signatures": ["MEYCIQCz"],
    },
    "signedMessage": (
        '{"classId":"3388000000022.card","objectId":"3388000000022.1001","eventType":"save",'
        '"expTimeMillis":1893456000000,"count":1,"nonce":"5b7c1e83"}'
    ),
}
"""what Google sends, with its keys and signatures cut short"""


class GoogleCallbackBody(BaseModel):
    """What Google signs, exactly four members. Only what verifies is answered with 200."""

    model_config = ConfigDict(extra="forbid", defer_build=True, json_schema_extra={"examples": [GOOGLE_EXAMPLE]})

    protocolVersion: str = Field(description="Always `ECv2SigningOnly` in what is taken.")
    signature: str = Field(description="The signature of `signedMessage`, in base64.")
    intermediateSigningKey: SigningKey
    signedMessage: str = Field(description="A JSON document as a text: what happened.")


class AssetForm(BaseModel):
    """The parts of an upload, in any order."""

    model_config = ConfigDict(
        extra="ignore",
        defer_build=True,
        json_schema_extra={
            "propertyNames": {"minLength": 1},
            "maxProperties": 16,
            "examples": [{"asset[file]": "(the bytes of icon.png)", "asset[asset_type]": "icon"}],
        },
    )

    file: Annotated[str, Field(json_schema_extra={"contentMediaType": "application/octet-stream"})] = Field(
        alias="asset[file]", min_length=1, description="A JPEG, PNG or GIF of at most 1 MB and 25,000,000 pixels."
    )
    asset_type: Literal["icon", "logo", "strip", "thumbnail", "background", "footer"] = Field(
        alias="asset[asset_type]", description="What the image is for."
    )
