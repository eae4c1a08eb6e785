/** Why a request is refused. PURE. */

/** Why a request is refused, for a page or for a problem of the API. */
export interface Refusal {
  readonly status: 401 | 403 | 429 | 503;
  readonly why: string;
}
