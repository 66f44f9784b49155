import type { Config } from '../config/config.ts';
import type { RoutingRule } from '../room/routing-rule.ts';

/** The routing rule that the options make. */
export const routingRuleOf = ({ domains, manager, rooms }: Config): RoutingRule => ({
  domains: new Set(domains),
  manager,
  rooms,
});
