/** What imcd uses of npm `sip` 0.0.6, which brings no types. Text is `binary`: one character a byte. */
declare module 'sip' {
  export interface ParsedUri {
    schema: string;
    user: string | undefined;
    password: string | undefined;
    host: string;
    /** NaN where there is none. */
    port: number;
    params: Record<string, string | null>;
    headers: Record<string, string>;
  }
  interface Sip {
    /** Undefined where the text is no SIP URI. */
    parseUri(text: string): ParsedUri | undefined;
  }
  const sip: Sip;
  export default sip;
}
