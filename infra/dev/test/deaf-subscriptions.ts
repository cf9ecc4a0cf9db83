// What a replica of Redis that lost its primary does to subscribers: all that they ask is answered, and nobody publishes there.

/** Behind the byte that tells RESP 3 (`>`) from RESP 2 (`*`). */
const pushBegins = '3\r\n$8\r\nsmessage\r\n';

/** What is left of an answer of Redis without the messages of sharded channels. They are small: each comes in one piece. */
export function withoutMessages(answer: Buffer): Buffer {
  const kept: Buffer[] = [];
  let at = 0;
  for (let from = answer.indexOf(pushBegins); from >= 0; from = answer.indexOf(pushBegins, at)) {
    kept.push(answer.subarray(at, from - 1));
    at = skipBulk(answer, skipBulk(answer, from + pushBegins.length));
  }
  return Buffer.concat([...kept, answer.subarray(at)]);
}

/** Behind `$<length>\r\n<bytes>\r\n`. */
function skipBulk(answer: Buffer, from: number): number {
  const end = answer.indexOf('\r\n', from);
  return end + 2 + Number(answer.toString('latin1', from + 1, end)) + 2;
}
