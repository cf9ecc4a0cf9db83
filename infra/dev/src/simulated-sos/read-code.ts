/**
 * The first one-time code of this number, as its owner reads it in the inbox; waited for, at most a minute.
 *
 * @throws Error where none came in time
 */
export async function readCode({
  inboxUrl,
  phone,
  withinMs,
}: {
  inboxUrl: string;
  phone: string;
  withinMs: number;
}): Promise<string> {
  const address = `${inboxUrl}/sandbox/messages/next?recipient=${encodeURIComponent(phone)}&timeoutMs=${withinMs}`;
  const message = await fetch(address, { signal: AbortSignal.timeout(withinMs + 1_000) });
  if (message.status !== 200) throw new Error('no code arrived');
  const { content } = (await message.json()) as { content: { text?: string } };
  const [code] = /\d{6}/.exec(content.text ?? '') ?? [];
  if (code === undefined) throw new Error('the message has no code in it');
  return code;
}
