"""Who may call the routes by which personal data are erased and data sets deleted; see route_sets.py."""

from tests.frontend import route_sets_aws

SIGNED_IN = {"you/erase/", "api/v1/me/erasure"}
OPERATOR = {"operator/people/<int:user_id>/erase/", "api/v1/users/<int:user_id>/erase"}
FORBIDDEN_TO_VIEWERS = ("datasets/<int:dataset_id>/delete/", *route_sets_aws.FORBIDDEN_TO_VIEWERS)
