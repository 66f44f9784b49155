/** Fields of an event's data that name a user. */
const fields = ['member', 'owner', 'by', 'inviter'] as const;

/**
 * Identities (`user@domain`, lower case) of the users whom an event touches: who asked for it, and to whom it was done.
 * Operators (`operator:NAME`) are not users.
 */
export const touchedUsers = (data: unknown, metadata: unknown): readonly string[] => {
  const users: string[] = [];
  const add = (uri: unknown): void => {
    if (typeof uri !== 'string' || !uri.startsWith('sip:')) return;
    const key = uri.slice(4).toLowerCase();
    if (!users.includes(key)) users.push(key);
  };
  if (typeof metadata === 'object' && metadata !== null && 'actor' in metadata) add(metadata.actor);
  if (typeof data === 'object' && data !== null) {
    const record: Readonly<Record<string, unknown>> = { ...data };
    for (const field of fields) add(record[field]);
  }
  return users;
};
