/** Who a request is of, and what they may do. PURE. */

/** A viewer may read, an operator also change. */
export type Role = 'viewer' | 'operator';

export interface Visitor {
  /** As the log of changes says it. */
  readonly name: string;
  readonly role: Role;
  /**
   * How they were known: by a session of this console, a token with the request, a proxy's header, or not at all, where
   * reading is open.
   */
  readonly by: 'session' | 'bearer' | 'proxy' | 'nobody';
  /** What a form of theirs carries, so that no other site can send one; undefined where none is needed, or none may be sent. */
  readonly formToken?: string;
}

export function mayChange({ role }: Visitor): boolean {
  return role === 'operator';
}
