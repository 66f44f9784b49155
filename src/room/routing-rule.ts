/** Which addresses are rooms, and which is the manager (behaviour sections 1 and 6). */

export interface RoutingRule {
  /** The domains served, in lower case. */
  readonly domains: ReadonlySet<string>;
  /** User parts, full match, without regard to case. */
  readonly manager: Pick<RegExp, 'test'>;
  readonly rooms: Pick<RegExp, 'test'>;
}

/** What a conference address names. */
export type Addressed = 'room' | 'manager';

/** What a user part of our domains names; undefined where that is neither. One that both patterns match is the manager. */
export const addressedBy = ({ manager, rooms }: RoutingRule, user: string): Addressed | undefined => {
  if (manager.test(user)) return 'manager';
  return rooms.test(user) ? 'room' : undefined;
};

/** Whether a domain, in any case, is one of ours. */
export const serves = ({ domains }: Pick<RoutingRule, 'domains'>, domain: string): boolean =>
  domains.has(domain.toLowerCase());
