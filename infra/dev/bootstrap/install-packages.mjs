import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runStep } from './run-step.mjs';
import { digestOfContents, hasStamp, writeStamp } from './stamp.mjs';
import { packageManager, rootDir } from './workspace.mjs';

const stampFile = join(rootDir, 'node_modules/.hushryd-install');
const networkError =
  /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|ENOTCACHED|ERR_PNPM_NO_OFFLINE|dns error/;

/**
 * Installs the packages of the lock file, unless that was done for this very lock file and Node before.
 *
 * The stamp is written last: an install that was interrupted is simply done again.
 */
export async function installPackages() {
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.taprc'].map((name) => join(rootDir, name));
  const digest = `${digestOfContents(inputs)} ${process.platform} ${process.arch} ${process.versions.modules}`;
  if (hasStamp(stampFile, digest)) return;

  const registry = await findRegistry();
  // npm and pnpm retry for more than a minute before they admit that nobody is there. Without a network only what
  // this machine already has can be installed, so ask for exactly that and know at once.
  const offline = registry.isReachable ? [] : ['--offline'];
  await runStep({
    what: 'installing packages',
    log: 'install',
    command: 'npx',
    args: ['-y', ...offline, packageManager(), 'install', '--frozen-lockfile', ...offline],
    // CI: never ask a question, for example before node_modules is made anew.
    env: { CI: 'true', npm_config_update_notifier: 'false' },
    detail: countPackages,
    explain: (log) => explainFailure(log, registry.host),
  });
  writeStamp(stampFile, digest);
}

function explainFailure(log, host) {
  if (networkError.test(log)) {
    return `The packages cannot be fetched because ${host} does not answer: connect to the internet (or name a registry you can reach: npm config set registry …) and try again.`;
  }
  if (log.includes('ERR_PNPM_OUTDATED_LOCKFILE')) {
    return `A package.json asks for packages that pnpm-lock.yaml does not know: run npx ${packageManager()} install, and commit the lock file with it.`;
  }
  return undefined;
}

/** The host packages come from, and whether its name resolves. Behind a proxy the proxy knows that, not we. */
async function findRegistry() {
  const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'registry', 'https-proxy', 'proxy'], {
    cwd: rootDir,
  });
  const settings = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s)));
  const host = new URL(settings.registry).hostname;
  const isProxied = [settings['https-proxy'], settings.proxy].some((value) => value && value !== 'null');
  if (isProxied) return { host, isReachable: true };
  return lookup(host).then(
    () => ({ host, isReachable: true }),
    () => ({ host, isReachable: false }),
  );
}

function countPackages(log) {
  if (log.includes('postinstall$')) return 'preparing the test runner';
  const [last] = log.match(/Progress: resolved.*/g)?.slice(-1) ?? [];
  const [, resolved, reused, downloaded] = /resolved (\d+), reused (\d+), downloaded (\d+)/.exec(last ?? '') ?? [];
  return resolved ? `${Number(reused) + Number(downloaded)} of ${resolved}` : '';
}
