"""A packaged template, read the way the tests ask about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """A CloudFormation template."""

    content: Json

    @property
    def resources(self) -> Json:
        resources: Json = self.content["Resources"]
        return resources

    def of_type(self, kind: str) -> dict[str, Json]:
        """Properties of all resources of one type, by logical id."""
        return {name: item["Properties"] for name, item in self.resources.items() if item["Type"] == kind}

    @property
    def functions(self) -> dict[str, Json]:
        return self.of_type("AWS::Serverless::Function")

    @property
    def swagger(self) -> Json:
        body: Json = self.resources["RestAPI"]["Properties"]["DefinitionBody"]
        return body

    def mappings(self) -> Iterator[tuple[str, Json]]:
        """Every function that reads a queue, with the properties of the mapping."""
        for name, function in self.functions.items():
            for event in function.get("Events", {}).values():
                if event["Type"] == "SQS":
                    yield name, event["Properties"]

    def queue_of(self, mapping: Json) -> Json:
        """Properties of the queue that a mapping reads."""
        logical_id, attribute = mapping["Queue"]["Fn::GetAtt"]
        assert attribute == "Arn"
        properties: Json = self.resources[logical_id]["Properties"]
        return properties

    def statements_of(self, function: str) -> list[Json]:
        """Everything that the role of a function allows."""
        role, attribute = self.functions[function]["Role"]["Fn::GetAtt"]
        assert attribute == "Arn"
        policies = self.resources[role]["Properties"]["Policies"]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
