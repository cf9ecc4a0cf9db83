import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ICruiseResult, IViolation } from 'dependency-cruiser';

/** One forbidden import: which rule, from which file, to what, and through which files if not directly. */
export interface ForbiddenImport {
  rule: string;
  comment: string;
  from: string;
  to: string;
  via: string[];
}

export interface CruiseReport {
  moduleCount: number;
  forbidden: ForbiddenImport[];
}

/** The check could not be made. */
export class CruiseError extends Error {
  override readonly name = 'CruiseError';
}

const cruiser = join(import.meta.dirname, '../../../../node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const readTsx = join(import.meta.dirname, 'read-tsx.cjs');
const roots = ['packages', 'services', 'infra', 'bench'];
const maxReportBytes = 256 * 1024 * 1024;

/**
 * Read every source file of a workspace and hold its imports against the rules.
 *
 * @param input.baseDir root of the workspace; absolute path
 * @param input.rulesFile the `.dependency-cruiser.cjs` with the rules; absolute path
 * @throws CruiseError when a file cannot be parsed, or no module was read: a check that sees nothing must not pass. dependency-cruiser without a parser
 *   for TypeScript does exactly that and reports success.
 * Cost: about one second for the whole workspace.
 */
export async function cruiseWorkspace(input: { baseDir: string; rulesFile: string }): Promise<CruiseReport> {
  const folders = roots.filter((folder) => existsSync(join(input.baseDir, folder)));
  const result = await runCruiser({ ...input, folders });
  const sources = result.modules.filter((module) => folders.some((folder) => module.source.startsWith(`${folder}/`)));

  if (sources.length === 0) {
    throw new CruiseError(
      `The import check read no module below ${input.baseDir}: is @swc/core installed? Nothing read is not a pass.`,
    );
  }
  const rules = result.summary.ruleSetUsed?.forbidden ?? [];
  const comments = new Map(rules.map((rule) => [rule.name, rule.comment]));
  const forbidden = result.summary.violations.map((violation) => ({
    ...toForbiddenImport(violation),
    comment: comments.get(violation.rule.name) ?? '',
  }));
  return { moduleCount: sources.length, forbidden };
}

/** A process of its own, because tsx, which runs our tests, breaks the parser's visitor when loaded in ours. */
function runCruiser(input: { baseDir: string; rulesFile: string; folders: string[] }): Promise<ICruiseResult> {
  const args = ['--config', input.rulesFile, '--output-type', 'json', ...input.folders];

  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--require', readTsx, cruiser, ...args],
      { cwd: input.baseDir, maxBuffer: maxReportBytes, env: { ...process.env, NODE_OPTIONS: '' } },
      (error, stdout, stderr) => {
        if (stdout.startsWith('{')) resolve(JSON.parse(stdout) as ICruiseResult);
        else reject(new CruiseError(describeTrouble(stderr || stdout, error)));
      },
    );
  });
}

/** What the cruiser says of itself, without the native stack below it. */
function describeTrouble(output: string, error: Error | null): string {
  const [words = ''] = output.split(/Caused by:|Stack backtrace:/);
  return `The import check could not read the workspace: ${words.trim() || error?.message}`;
}

function toForbiddenImport(violation: IViolation): Omit<ForbiddenImport, 'comment'> {
  const through = violation.via ?? violation.cycle ?? [];
  return {
    rule: violation.rule.name,
    from: violation.from,
    to: violation.to,
    via: through.map((step) => step.name),
  };
}
