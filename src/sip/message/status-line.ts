/** The Status-Line of a response (RFC 3261 7.2) in its raw bytes: the way of a copy's answer looks at no more. */

/** Does a message from the network begin as a response does (`SIP/2.0 `)? */
export const isResponse = (bytes: Buffer): boolean =>
  bytes.length > 11 &&
  bytes[0] === 0x53 &&
  bytes[1] === 0x49 &&
  bytes[2] === 0x50 &&
  bytes[3] === 0x2f &&
  bytes[7] === 0x20;

/** The three digits behind `SIP/2.0 `; 0 where they are none. */
export const statusOf = (response: Buffer): number => {
  let status = 0;
  for (let i = 8; i < 11; i += 1) {
    const digit = (response[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status <= 699 ? status : 0;
};
