/** What a helper process does for the one that started it: by name, one object in, anything that can be cloned out. */
// biome-ignore lint/suspicious/noExplicitAny: arguments differ by command; callers see the real types through `HelperProcess`.
export type Commands = Record<string, (input: any) => unknown>;

export type HelperMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };

export interface CommandMessage {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** The helper's end: answers commands until the process that started it is gone. */
export function serveCommands(commands: Commands): void {
  const send = (message: HelperMessage) => process.send?.(message);
  process.on('message', async ({ id, name, input }: CommandMessage) => {
    try {
      send({ kind: 'result', id, result: await commands[name]?.(input) });
    } catch (error) {
      send({ kind: 'error', id, message: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  send({ kind: 'ready' });
}
