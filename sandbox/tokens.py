"""Client tokens, which moto ignores: the same token gives the first answer again, with other parameters it is refused."""

import json
from collections.abc import Callable

from wire import Call, error_answer

Answer = tuple[int, list[tuple[str, str]], bytes]

# Where AWS takes a token: (signing name, operation) to the token's parameter and the error for one used with other
# parameters. Source: the `idempotencyToken` members and documented errors of botocore 1.44.5.
TOKENS = {
    ("ec2", "CreateFlowLogs"): ("ClientToken", "IdempotentParameterMismatch"),
    ("ec2", "CreateLaunchTemplate"): ("ClientToken", "IdempotentParameterMismatch"),
    ("ec2", "CreateLaunchTemplateVersion"): ("ClientToken", "IdempotentParameterMismatch"),
    ("ec2", "CreateNatGateway"): ("ClientToken", "IdempotentParameterMismatch"),
    ("ec2", "CreateRouteTable"): ("ClientToken", "IdempotentParameterMismatch"),
    ("ec2", "CreateVpcEndpoint"): ("ClientToken", "IdempotentParameterMismatch"),
    ("ec2", "RunInstances"): ("ClientToken", "IdempotentParameterMismatch"),
    ("dynamodb", "TransactWriteItems"): ("ClientRequestToken", "IdempotentParameterMismatchException"),
}


class TokenMemory:
    """First answers by token. Nothing expires before a reset; AWS forgets after ten minutes (DynamoDB) to a day (EC2)."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, str, str], tuple[str, Answer]] = {}

    def clear(self) -> None:
        self.answers.clear()

    def answer(self, call: Call, execute: Callable[[], Answer]) -> Answer:
        """Executes the call, unless its token was already used successfully in this region."""
        parameter, mismatch = TOKENS.get((call.service, call.operation), ("", ""))
        token = call.params.get(parameter)
        if not token:
            return execute()
        key = (call.service, call.region, call.operation, token)
        fingerprint = json.dumps(call.params, sort_keys=True)
        if key not in self.answers:
            return self._remember(key, fingerprint, execute())
        first, answer = self.answers[key]
        if first == fingerprint:
            return answer
        return error_answer(call, 400, mismatch, f"The {parameter} {token} was already used with different parameters.")

    def _remember(self, key: tuple[str, str, str, str], fingerprint: str, answer: Answer) -> Answer:
        if answer[0] < 300:
            self.answers[key] = (fingerprint, answer)
        return answer
