"""Generated examples are judged by what happens, never by how long a busy machine takes."""

from hypothesis import HealthCheck, settings

settings.register_profile("formats", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("formats")
