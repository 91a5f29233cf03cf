"""The page of a worker template and the files that it loads, for a frame without an origin: the address decides."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from frontend import template_frames
from labeling.services.intake import images
from labeling.services.jobs import templates
from labeling.services.review import showing


@require_GET
def page(request: HttpRequest, frame: str) -> HttpResponse:
    """One object or one human loop, as the template of its work queue shows it."""
    said = template_frames.opened(template_frames.FRAME, frame)
    if "loop" in said:
        return _loop_page(request, queue_id=said["queue"], loop_id=said["loop"])
    shown, row = templates.shown(queue_id=said["queue"], object_id=said["object"])
    seconds = shown.queue.task_time_limit_seconds + template_frames.GRACE_SECONDS

    def link(uri: str, of_task: bool) -> str:
        return template_frames.file_url(request, uri=images.image_uri(row) if of_task else uri, seconds=seconds)

    return template_frames.page_response(
        request, templates.page(shown, row, link=link), script_hosts=shown.script_hosts
    )


def _loop_page(request: HttpRequest, *, queue_id: int, loop_id: int) -> HttpResponse:
    shown, content = showing.of_loop(queue_id=queue_id, loop_id=loop_id)
    seconds = shown.queue.task_time_limit_seconds + template_frames.GRACE_SECONDS

    def link(uri: str, of_task: bool) -> str:
        return template_frames.file_url(request, uri=uri, seconds=seconds)

    html = templates.rendered(shown, content, link=link)
    return template_frames.page_response(request, html, script_hosts=shown.script_hosts)


@require_GET
def file(request: HttpRequest, file: str) -> HttpResponse:
    """A file that such a page loads."""
    return template_frames.file_response(template_frames.opened(template_frames.FILE, file)["uri"])
