/** The token that requests of this page have to carry. */

/** The value of Django's csrftoken cookie, or "" where there is none. */
export function csrfToken(): string {
  const found = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return found?.[1] ? decodeURIComponent(found[1]) : "";
}
