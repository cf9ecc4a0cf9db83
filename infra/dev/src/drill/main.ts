import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { StartError } from '../start-error.ts';
import { openApi } from './open-api.ts';
import { readDrillOptions } from './read-drill-options.ts';
import { runDrill } from './run-drill.ts';

const help = `Tries out whom an SOS would reach: your emergency contacts are told that it is an exercise, on all their channels.

  npm run drill -- --user ID             against the HushRyd that npm start runs on this machine
  HUSHRYD_TOKEN=… npm run drill -- --api https://api.example

Nobody on call is paged, and no incident is opened. Three drills an hour for one person.

  --user ID             whose contacts; not with HUSHRYD_TOKEN, which says who you are
  --role ROLE           of that user: rider (default) or driver
  --made-up-contacts    give the user two contacts first, whose messages arrive in the inbox of npm start
  --api URL             the api                                              (default http://127.0.0.1:5000)
  --data DIR            where npm start keeps its keys                       (default .hushryd)
  --wait S              seconds until whoever was not reached counts as such (default 60)
  --help                this text

Exit codes: 0 every contact was reached on every channel · 1 somebody was not, or there is nobody · 2 not understood, or refused`;

const complain = (line: string): void => void process.stderr.write(`${line}\n`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof StartError) complain(error.message);
  else if (error instanceof HttpProblem) complain(`Refused (${error.code}): ${error.message}.`);
  else throw error;
  return 2;
});

async function run(args: string[]): Promise<number> {
  const options = readDrillOptions(args, process.env);
  if (options === 'help') {
    say(help);
    return 0;
  }
  const { isEveryoneReached } = await runDrill({ http: await openApi(options), options, say });
  return isEveryoneReached ? 0 : 1;
}
