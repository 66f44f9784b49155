import { readParameters } from '../message/parameters.ts';

/** The value of a Content-Type header (RFC 3261 20.15). It decides whether a body can be read as a command. */

/** The value of a Content-Type header (RFC 3261 20.15). */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly name: string;
  /** In lower case; undefined where the header names none. */
  readonly charset: string | undefined;
}

/** Reads a Content-Type; undefined where it is none. */
export const mediaTypeOf = (text: string): MediaType | undefined => {
  const match = /^([A-Za-z0-9\-.!%*_+`'~]{1,100})\s*\/\s*([A-Za-z0-9\-.!%*_+`'~]{1,100})\s*(?=;|$)/.exec(text);
  if (match === null) return undefined;
  const parameters = readParameters(text, match[0].length);
  const charset = parameters?.find(({ name }) => name === 'charset')?.value?.toLowerCase();
  return parameters === undefined ? undefined : { name: `${match[1]}/${match[2]}`.toLowerCase(), charset };
};

/** Can a command be read in it? Commands are ASCII, and UTF-8 in what users are called and in texts. */
export const isReadable = ({ name, charset }: MediaType): boolean =>
  name.startsWith('text/') && (charset === undefined || /^(utf-?8|us-ascii|iso-8859-\d+)$/.test(charset));
