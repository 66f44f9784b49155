import { isLoopback, isLoopbackNetwork, showHostPort, showTransportAddress } from '../net/address.ts';
import type { Config } from './config.ts';
import type { ConfigProblem } from './problems.ts';

/** What no option says for itself: options that are right alone and wrong together. */
export const brokenRules = (config: Config, source: (path: string) => string): readonly ConfigProblem[] => {
  const problems: ConfigProblem[] = [];
  const say = (path: string, found: string, allowed: string) =>
    problems.push({ path, source: source(path), found, allowed });

  // Without a way to know its senders, a spoofed UDP source could use a room to multiply traffic at a stranger.
  const sendersKnown = config.open || config.trusted.some((network) => !isLoopbackNetwork(network));
  for (const address of config.listen) {
    if (isLoopback(address.host) || sendersKnown) continue;
    say(
      'listen',
      `${showTransportAddress(address)}, which is not loopback, and nothing tells whom to believe there`,
      'name the proxies in trusted (for example 192.0.2.10), or set open to accept anyone, knowing what that means',
    );
  }
  const fixed = config.listen.filter(({ port }) => port !== 0).map(showTransportAddress);
  const twice = fixed.find((address, index) => fixed.indexOf(address) !== index);
  if (twice !== undefined) say('listen', `${twice} twice`, 'each address once');

  const { http, datagram, token } = config.mi;
  if (http !== undefined && !isLoopback(http.host) && token === undefined) {
    const address = showHostPort(http);
    say(
      'mi.http',
      `${address}, which is not loopback, without mi.token`,
      'set mi.token or mi.token_file, or listen on 127.0.0.1',
    );
  }
  if (datagram !== undefined && !isLoopback(datagram.host)) {
    const address = showHostPort(datagram);
    say(
      'mi.datagram',
      `${address}, which is not loopback`,
      'datagrams carry no token: only a loopback address is allowed',
    );
  }
  if (config.rooms_table.toLowerCase() === config.members_table.toLowerCase()) {
    say(
      'members_table',
      `${config.members_table}, the same as rooms_table`,
      'two tables of different names are needed',
    );
  }
  return problems;
};
