import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const packages = ['contracts', 'platform', 'tracking', 'rides', 'outreach', 'providers', 'sdk'];
const npmPackages = ['typebox', 'mongodb', 'bullmq', 'ioredis', 'left-pad'];

/**
 * A workspace with this one's layout and the given files, in a temporary folder.
 *
 * Packages are linked and exported as in the real one, so an import resolves by the same road.
 */
export function createFixtureWorkspace(files: Record<string, string>): { baseDir: string; remove(): void } {
  const baseDir = realpathSync(mkdtempSync(join(tmpdir(), 'hushryd-imports-')));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(baseDir, path)), { recursive: true });
    writeFileSync(join(baseDir, path), text);
  };

  for (const name of packages) {
    write(`packages/${name}/package.json`, JSON.stringify(workspacePackage(name)));
    mkdirSync(join(baseDir, 'node_modules/@hushryd'), { recursive: true });
    symlinkSync(join('../../packages', name), join(baseDir, 'node_modules/@hushryd', name));
  }
  for (const name of npmPackages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(`node_modules/${name}/index.js`, 'exports.something = 1;\n');
  }
  for (const [path, text] of Object.entries(files)) write(path, text);

  return { baseDir, remove: () => rmSync(baseDir, { recursive: true, force: true }) };
}

function workspacePackage(name: string): object {
  return {
    name: `@hushryd/${name}`,
    version: '1.0.0',
    type: 'module',
    exports: { './*': { '@hushryd/source': './src/*.ts', types: './dist/*.d.ts', default: './dist/*.js' } },
  };
}
