"""Who may call the routes of the AWS wire and of access keys; see route_sets.py."""

# Every request is signed, by an access key or by SNS; see tests/frontend/aws and tests/labeling/test_streams.py.
PUBLIC = {"aws", "aws/", "aws/<path:path>", "streams/<str:token>/"}
OWN = {"api/v1/access-keys/<int:access_key_id>", "settings/access-keys/<int:access_key_id>/revoke/"}
FORBIDDEN_TO_VIEWERS = ("settings/access-keys/new/", "api/v1/access-keys")
