"""Predictions of the services that A2I knows: a flow definition's conditions are evaluated, and a loop started if they
hold.

For own models whoever has the prediction decides, with the same conditions: see learning/services/hosting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from labeling.formats import ai_responses, conditions
from labeling.models import FlowDefinition, HumanLoop
from labeling.services.review import loops, output
from marketplace.errors import Invalid

REASON = "ConditionsEvaluation"
"""HumanLoopActivationReasons of the services that start loops by conditions."""


@dataclass(frozen=True)
class Activation:
    """The evaluated conditions, and the loop that they started, None when they do not hold."""

    results: dict[str, Any]
    loop: HumanLoop | None

    def output(self) -> dict[str, Any]:
        """HumanLoopActivationOutput, as Rekognition and Textract answer it."""
        said: dict[str, Any] = {"HumanLoopActivationConditionsEvaluationResults": orjson.dumps(self.results).decode()}
        if self.loop is not None:
            said |= {"HumanLoopArn": output.loop_arn(self.loop), "HumanLoopActivationReasons": [REASON]}
        return said


def activate(
    *,
    flow: FlowDefinition,
    name: str,
    ai_service_request: Mapping[str, Any],
    ai_service_response: Mapping[str, Any],
    content_classifiers: Sequence[str] = (),
    by: str,
) -> Activation:
    """Start the human loop `name` about a service's response if it meets the conditions of the flow definition.

    The request without its HumanLoopConfig names what is sampled: the same request is sampled alike. Raises Invalid for
    a flow definition without a request source or conditions, or naming what is wrong with the response, and what
    `loops.start_loop` raises.
    """
    if not flow.request_source or not flow.conditions:
        raise Invalid(f"{flow.name} has no request source with conditions", field="flow_definition")
    try:
        request = ai_responses.small(ai_service_request)
        response = ai_responses.small(ai_service_response)
        asked = {key: value for key, value in request.items() if key != "humanLoopConfig"}
        identity = orjson.dumps([asked, response], option=orjson.OPT_SORT_KEYS).decode()
        facts = ai_responses.facts(flow.request_source, response, identity=identity)
        needed, results = conditions.evaluate(flow.conditions, facts)
        if not needed:
            return Activation(results, None)
        content = {
            "aiServiceRequest": request,
            "aiServiceResponse": response,
            "humanTaskActivationConditionResults": results,
            "selectedAiServiceResponse": ai_responses.selected(flow.request_source, response, results),
        }
    except ai_responses.ResponseError as error:
        raise Invalid(error.problem, field=f"ai_service_response.{error.field}") from None
    loop = loops.start_loop(
        flow=flow,
        name=name,
        content=orjson.dumps(content).decode(),
        content_classifiers=content_classifiers,
        by=by,
    )
    return Activation(results, loop)
