/** Who sent a request, and what they may do. PURE. */

/** A viewer may read; an operator may also change. */
export type Role = 'viewer' | 'operator';

export interface Visitor {
  /** The name in the log of changes. */
  readonly name: string;
  readonly role: Role;
  /**
   * How the visitor was identified: by a session of this console, a token in the request, or a proxy's header; `nobody`: not at
   * all, because reading is open.
   */
  readonly by: 'session' | 'bearer' | 'proxy' | 'nobody';
  /**
   * Token in this visitor's forms, so that no other site can submit one; undefined if none is needed, or no form may be
   * submitted.
   */
  readonly formToken?: string;
}

export function mayChange({ role }: Visitor): boolean {
  return role === 'operator';
}
