import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { StartError } from '../start-error.ts';

export interface DrillOptions {
  readonly apiUrl: string;
  /** Who asks: by a token, or by a name for which a token is made with the keys of this machine. */
  readonly as: { readonly token: string } | { readonly userId: string; readonly role: 'rider' | 'driver' };
  readonly keysDir: string;
  readonly hasMadeUpContacts: boolean;
  readonly waitMs: number;
}

/** @throws StartError with what is wrong */
export function readDrillOptions(
  args: string[],
  { HUSHRYD_TOKEN: token }: Readonly<Record<string, string | undefined>>,
): DrillOptions | 'help' {
  const values = readValues(args);
  if (values.help) return 'help';
  const waitMs = Number(values.wait) * 1_000;
  if (!(waitMs > 0 && waitMs <= 600_000))
    throw new StartError('--wait is not a number of seconds up to 600: see --help.');
  if (!URL.canParse(values.api))
    throw new StartError('--api is not an address such as http://127.0.0.1:5000: see --help.');
  return {
    apiUrl: values.api,
    as: readIdentity(values, token),
    keysDir: join(values.data, 'keys'),
    hasMadeUpContacts: values['made-up-contacts'],
    waitMs,
  };
}

function readIdentity({ user, role }: { user?: string | undefined; role: string }, token: string | undefined) {
  if (token !== undefined && token !== '') {
    if (user !== undefined) throw new StartError('HUSHRYD_TOKEN says who you are: leave --user out.');
    return { token };
  }
  if (user === undefined) throw new StartError('Say whose contacts: --user ID, or HUSHRYD_TOKEN. See --help.');
  if (role !== 'rider' && role !== 'driver') throw new StartError('--role is rider or driver.');
  return { userId: user, role } as const;
}

function readValues(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        user: { type: 'string' },
        role: { type: 'string', default: 'rider' },
        'made-up-contacts': { type: 'boolean', default: false },
        api: { type: 'string', default: 'http://127.0.0.1:5000' },
        data: { type: 'string', default: '.hushryd' },
        wait: { type: 'string', default: '60' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}
