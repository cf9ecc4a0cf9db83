/** The part of TwiML that these calls use. */
export interface TwimlScript {
  /** Read out before keys are waited for. */
  readonly said: string[];
  /** The first <Gather>. */
  readonly gather?: { readonly action: string; readonly method: string };
}

/**
 * Reads a TwiML document up to its first <Gather>, whose own words are read out too. A silence after it, and what then follows, is not
 * played: somebody at the phone always presses something or hangs up.
 */
export function readTwiml(xml: string): TwimlScript {
  const gather = /<Gather\b([^>]*)>([\s\S]*?)<\/Gather>/.exec(xml);
  const before = gather === null ? xml : xml.slice(0, gather.index);
  const said = [before, gather?.[2] ?? ''].flatMap(readSay);
  if (gather === null) return { said };
  const attributes = gather[1] ?? '';
  const read = (name: string) => unescapeXml(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
  return { said, gather: { action: read('action'), method: read('method') || 'POST' } };
}

function readSay(xml: string): string[] {
  return [...xml.matchAll(/<Say\b[^>]*>([\s\S]*?)<\/Say>/g)].map((match) => unescapeXml(match[1] ?? ''));
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? '');
}
