export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A line of the log. `fields` never hold secrets or message bodies. */
type Line = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Log {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
}
