/** Requests out of the bytes of a FIFO: `:REPLYNAME:{json}`, one after the other, nothing between or after them. Pure. */

export interface FifoRequest {
  /** Name of the reply FIFO; undefined where no answer is wanted, or the name is not one (a `/` or a leading dot in it). */
  readonly reply: string | undefined;
  readonly json: string;
}

/** A request is complete where its JSON value ends; a newline ends one that is none. */
export interface Framing {
  /** Takes what was read; gives the requests that are complete. */
  readonly push: (text: string) => readonly FifoRequest[];
  /** Nothing came for a while: what is there is as complete as it will be. */
  readonly stalled: () => readonly FifoRequest[];
  /** Something incomplete waits. */
  readonly waiting: () => boolean;
}

/** Longest request; what is longer is dropped up to the next pause. */
export const longestRequest = 65_536;

/** @param dropped called for each stretch of bytes that is no request */
export const createFraming = (dropped: () => void): Framing => {
  let text = '';
  let skipping = false;

  const take = (final: boolean): readonly FifoRequest[] => {
    const requests: FifoRequest[] = [];
    for (;;) {
      text = text.replace(/^[\s\0]+/, '');
      if (text === '') return requests;
      const head = /^:([^:\n]{0,255}):/.exec(text);
      const start = head?.[0].length ?? 0;
      const end = head === null ? endOfLine(text) : endOfJson(text, start);
      if (end < 0 && !final) return requests;
      const stop = end < 0 ? text.length : end;
      if (head !== null) requests.push({ reply: replyName(head[1] ?? ''), json: text.slice(start, stop) });
      else dropped();
      text = text.slice(stop);
    }
  };

  return {
    push: (more) => {
      if (skipping) return [];
      text += more;
      const requests = take(false);
      if (text.length > longestRequest) {
        skipping = true;
        dropped();
        text = '';
      }
      return requests;
    },
    stalled: () => {
      skipping = false;
      return take(true);
    },
    waiting: () => skipping || text !== '',
  };
};

const replyName = (name: string): string | undefined => (/^[\w-][\w.-]{0,200}$/.test(name) ? name : undefined);

const endOfLine = (text: string): number => text.indexOf('\n') + 1 || -1;

/** Index after the object or array that begins at `from`; where none begins there, after the line. -1: not there yet. */
const endOfJson = (text: string, from: number): number => {
  if (text.length === from) return -1;
  if (text[from] !== '{' && text[from] !== '[') return endOfLine(text);
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const here = text[at];
    if (quoted) {
      if (here === '\\') at += 1;
      else if (here === '"') quoted = false;
    } else if (here === '"') quoted = true;
    else if (here === '{' || here === '[') depth += 1;
    else if (here === '}' || here === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
};
