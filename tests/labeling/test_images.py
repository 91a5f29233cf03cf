"""Images as pages show them: a safe content type, an ETag made from the content, thumbnails that are made once."""

import io

import pytest
from PIL import Image

from labeling.models import DataObject
from labeling.services.intake import images
from marketplace import storage
from marketplace.errors import Invalid, NotFound
from marketplace.services import boundaries
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def uri():
    return builders.tiny_images(1, account=builders.an_account(), size=(400, 100))[0]


def test_the_upright_copy_is_shown_instead_of_the_image():
    assert images.image_uri(DataObject(source_ref="s3://b/1.jpg")) == "s3://b/1.jpg"
    assert images.image_uri(DataObject(source_ref="s3://b/1.jpg", upright_uri="s3://b/up.jpg")) == "s3://b/up.jpg"


def test_a_whole_image_has_an_etag_made_from_its_content(uri):
    one = images.picture(uri=uri)
    assert (one.content, one.content_type) == (storage.read(uri), "image/png")
    assert images.picture(uri=uri).etag == one.etag
    storage.write(uri, builders.image_bytes(number=9))
    assert images.picture(uri=uri).etag != one.etag


def test_a_thumbnail_is_made_once(uri, settings):
    one = images.picture(uri=uri, max_side=64)
    assert Image.open(io.BytesIO(one.content)).size == (160, 40)
    kept = [item.uri for item in storage.list(storage.join(settings.STORE_URL, "thumbnails") + "/")]
    marked = one.content + b"kept"
    for place in kept:
        if storage.read(place) == one.content:
            storage.write(place, marked)
    assert images.picture(uri=uri, max_side=64).content == marked


def test_a_file_that_is_not_an_image_gets_no_type_that_browsers_show(uri):
    page = storage.join(boundaries.base_of(builders.an_account()), "uploads", "x.png")
    storage.write(page, b"<html><script>alert(1)</script>")
    assert images.picture(uri=page).content_type == "application/octet-stream"
    with pytest.raises(Invalid, match="is an HTML page, which is not accepted"):
        images.picture(uri=page, max_side=64)
    with pytest.raises(NotFound):
        images.picture(uri=uri + ".gone")


@pytest.mark.parametrize(
    ("form", "kind"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp"), ("GIF", "gif"), ("BMP", "bmp")]
)
def test_content_types_come_from_the_content(form, kind):
    assert images.content_type(builders.image_bytes(form=form)) == f"image/{kind}"
