"""AWS's prices, as data: list prices on demand in one region, with a date and where each stands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from chalicelib.domain.errors import InvalidRequest

MILLION: Final = 1_000_000
GB: Final = 1_000_000_000
LARGEST_PRICE: Final = 1e12
"""dollars for a unit, or units of a tier"""
"""bytes; some of AWS's prices are for 2^30, which is up to 7 % less"""


class Item(StrEnum):
    """What AWS charges for. The name is that of a price in a file of prices."""

    WRITES = "dynamodb_writes"
    READS = "dynamodb_reads"
    STORAGE = "dynamodb_storage"
    RECOVERY = "dynamodb_recovery"
    GATEWAY = "gateway_requests"
    INVOCATIONS = "lambda_requests"
    SECONDS_ARM = "lambda_gb_seconds_arm64"
    SECONDS_X86 = "lambda_gb_seconds_x86_64"
    QUEUES = "sqs_requests"
    LOGS = "log_ingestion"
    KEPT_LOGS = "log_storage"
    METRICS = "metrics"
    ALARMS = "alarms"
    DASHBOARDS = "dashboards"
    KEYS = "kms_keys"
    TRACES = "traces"
    IMAGES = "s3_reads"
    TRANSFER = "transfer_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What something costs. `tiers` are upper ends and dollars for `per` units below them, the last without end."""

    service: str
    text: str
    """what is paid for"""
    unit: str
    """what `per` units are called"""
    per: float = 1
    tiers: tuple[tuple[float, float], ...]
    free: float = 0
    """units that nobody ever pays for, not only in the first year"""
    source: str
    as_of: str
    """when the price was last seen to be this one"""

    def dollars(self, amount: float, *, with_free_tier: bool = False) -> float:
        """For so many units in a month."""
        left = max(0.0, amount - self.free) if with_free_tier else amount
        total = lower = 0.0
        for upper, price in self.tiers:
            within = min(left, upper) - lower
            if within <= 0:
                break
            total += within / self.per * price
            lower = upper
        return total

    @property
    def first(self) -> float:
        """Dollars in the first tier."""
        return self.tiers[0][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """All prices of a region."""

    region: str
    date: str
    prices: Mapping[Item, Price]


def _flat(dollars: float) -> tuple[tuple[float, float], ...]:
    return ((math.inf, dollars),)


_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"

LIST: Final = PriceList(
    region="us-east-1",
    date="2026-06",
    prices=MappingProxyType(
        {
            Item.WRITES: Price(
                service="DynamoDB",
                text="write units",
                unit="million",
                per=MILLION,
                tiers=_flat(0.625),
                source=f"{_DYNAMODB}, halved on 2024-11-01",
                as_of="2025-07",
            ),
            Item.READS: Price(
                service="DynamoDB",
                text="read units",
                unit="million",
                per=MILLION,
                tiers=_flat(0.125),
                source=f"{_DYNAMODB}, halved on 2024-11-01",
                as_of="2025-07",
            ),
            Item.STORAGE: Price(
                service="DynamoDB",
                text="storage, indexes included",
                unit="GB",
                per=GB,
                tiers=_flat(0.25),
                free=25 * GB,
                source=_DYNAMODB,
                as_of="2026-03",
            ),
            Item.RECOVERY: Price(
                service="DynamoDB",
                text="point-in-time recovery of the tables",
                unit="GB",
                per=GB,
                tiers=_flat(0.20),
                source=_DYNAMODB,
                as_of="undated",
            ),
            Item.GATEWAY: Price(
                service="API Gateway",
                text="REST requests",
                unit="million",
                per=MILLION,
                tiers=((333e6, 3.50), (1_000e6, 2.80), (20_000e6, 2.38), (math.inf, 1.51)),
                source="https://aws.amazon.com/api-gateway/pricing/",
                as_of="2026",
            ),
            Item.INVOCATIONS: Price(
                service="Lambda",
                text="requests",
                unit="million",
                per=MILLION,
                tiers=_flat(0.20),
                free=MILLION,
                source=_LAMBDA,
                as_of="2026-03",
            ),
            Item.SECONDS_ARM: Price(
                service="Lambda",
                text="duration, arm64",
                unit="million GB-s",
                per=MILLION,
                tiers=((7.5e9, 13.3334), (18.75e9, 12.0001), (math.inf, 10.6667)),
                free=400_000,
                source=_LAMBDA,
                as_of="2026-03",
            ),
            Item.SECONDS_X86: Price(
                service="Lambda",
                text="duration, x86_64",
                unit="million GB-s",
                per=MILLION,
                tiers=((6e9, 16.6667), (15e9, 15.0), (math.inf, 13.3334)),
                free=400_000,
                source=_LAMBDA,
                as_of="2026-03",
            ),
            Item.QUEUES: Price(
                service="SQS",
                text="requests to standard queues",
                unit="million",
                per=MILLION,
                tiers=((100e9, 0.40), (200e9, 0.30), (math.inf, 0.24)),
                free=MILLION,
                source="https://aws.amazon.com/sqs/pricing/",
                as_of="2026-06",
            ),
            Item.LOGS: Price(
                service="CloudWatch",
                text="logs taken in",
                unit="GB",
                per=GB,
                tiers=((10_000 * GB, 0.50), (30_000 * GB, 0.25), (50_000 * GB, 0.10), (math.inf, 0.05)),
                free=5 * GB,
                source=f"{_CLOUDWATCH}, in tiers for Lambda since 2025-05-01",
                as_of="2026-06",
            ),
            Item.KEPT_LOGS: Price(
                service="CloudWatch",
                text="logs kept, compressed",
                unit="GB",
                per=GB,
                tiers=_flat(0.03),
                source=_CLOUDWATCH,
                as_of="2026-06",
            ),
            Item.METRICS: Price(
                service="CloudWatch",
                text="metrics of our own",
                unit="metric",
                tiers=((10_000, 0.30), (250_000, 0.10), (1_000_000, 0.05), (math.inf, 0.02)),
                free=10,
                source=_CLOUDWATCH,
                as_of="2026-06",
            ),
            Item.ALARMS: Price(
                service="CloudWatch",
                text="metrics that alarms watch",
                unit="metric",
                tiers=_flat(0.10),
                free=10,
                source=_CLOUDWATCH,
                as_of="2026-06",
            ),
            Item.DASHBOARDS: Price(
                service="CloudWatch",
                text="dashboards",
                unit="dashboard",
                tiers=_flat(3.00),
                free=3,
                source=_CLOUDWATCH,
                as_of="2026-06",
            ),
            Item.KEYS: Price(
                service="KMS",
                text="key of the alarms' topic",
                unit="key",
                tiers=_flat(1.00),
                source="https://aws.amazon.com/kms/pricing/",
                as_of="2026-03",
            ),
            Item.TRACES: Price(
                service="X-Ray",
                text="traces",
                unit="million",
                per=MILLION,
                tiers=_flat(5.00),
                free=100_000,
                source="https://aws.amazon.com/xray/pricing/",
                as_of="undated",
            ),
            Item.IMAGES: Price(
                service="S3",
                text="reads of images",
                unit="million",
                per=MILLION,
                tiers=_flat(0.40),
                source="https://aws.amazon.com/s3/pricing/",
                as_of="undated",
            ),
            Item.TRANSFER: Price(
                service="Data transfer",
                text="out to the internet",
                unit="GB",
                per=GB,
                tiers=((10_000 * GB, 0.09), (50_000 * GB, 0.085), (150_000 * GB, 0.07), (math.inf, 0.05)),
                free=100 * GB,
                source="https://aws.amazon.com/ec2/pricing/on-demand/",
                as_of="2026-06",
            ),
        }
    ),
)


def override(prices: PriceList, document: Any) -> PriceList:
    """The list with what a document replaces: `{"region", "date", "prices": {"dynamodb_writes": 0.7, ...}}`.

    A price is in dollars for the unit of the list, or a list of tiers `[[end, dollars], ..., [null, dollars]]` whose
    ends are in those units too.

    Raises:
        InvalidRequest: the document does not fit; the message says where.
    """
    if not isinstance(document, dict) or not document.keys() <= {"region", "date", "prices"}:
        raise InvalidRequest("must be an object with region, date and prices", field="prices")
    region, date = document.get("region", prices.region), document.get("date")
    if not isinstance(region, str) or not isinstance(date, str) or not date:
        raise InvalidRequest("must say its date, and its region as a text", field="prices")
    own = document.get("prices", {})
    if not isinstance(own, dict):
        raise InvalidRequest("must be an object", field="prices.prices")
    replaced = dict(prices.prices)
    for name, value in own.items():
        if name not in list(Item):
            raise InvalidRequest(f"is unknown; there are {', '.join(Item)}", field=f"prices.{name}")
        price = replaced[Item(name)]
        tiers = _read_tiers(value, per=price.per, field=f"prices.{name}")
        replaced[Item(name)] = replace(price, tiers=tiers, source="a file of prices", as_of=date)
    return PriceList(region=region, date=date, prices=MappingProxyType(replaced))


def _read_tiers(value: Any, *, per: float, field: str) -> tuple[tuple[float, float], ...]:
    pairs: Sequence[Any] = [[None, value]] if not isinstance(value, list) else value
    tiers: list[tuple[float, float]] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not _is_price(pair[1]):
            raise InvalidRequest("must be a number of dollars, or tiers of an end and dollars", field=field)
        end = math.inf if pair[0] is None else pair[0]
        if not _is_price(end, finite=False) or end * per <= (tiers[-1][0] if tiers else 0):
            raise InvalidRequest("has ends that do not grow", field=field)
        tiers.append((end * per, float(pair[1])))
    if not tiers or tiers[-1][0] != math.inf:
        raise InvalidRequest("must end with a tier without an end, which is null", field=field)
    return tuple(tiers)


def _is_price(value: Any, *, finite: bool = True) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and (0 <= value <= LARGEST_PRICE or (value == math.inf and not finite))
