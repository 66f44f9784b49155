const causes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there. Stop it, or choose another port.',
  EADDRNOTAVAIL: 'this machine has no such address.',
  EACCES: 'this needs rights that imcd does not have (ports below 1024 do).',
};

/** Why an address cannot be listened on, as a sentence. `where`: the address as it was configured. */
export const bindError = (where: string, cause: unknown): Error => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = causes[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new Error(`cannot listen on ${where}: ${why}`, { cause });
};
