"""The addresses that the store had: bootstrap notes the present one, readers of manifests look up the former ones."""

from django.conf import settings

from marketplace.models import StoreAddress


def note_present() -> None:
    """Remember the present STORE_URL. Safe to repeat."""
    StoreAddress.objects.get_or_create(url=settings.STORE_URL)


def former() -> list[str]:
    """Earlier values of STORE_URL, the longest first, because one may lie in another."""
    urls = StoreAddress.objects.exclude(url=settings.STORE_URL).values_list("url", flat=True)
    return sorted(urls, key=len, reverse=True)
