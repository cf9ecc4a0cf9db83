import { join } from 'node:path';
import { cruiseWorkspace, type ForbiddenImport } from './cruise-workspace.ts';

const baseDir = join(import.meta.dirname, '../../../..');

const { moduleCount, forbidden } = await cruiseWorkspace({
  baseDir,
  rulesFile: join(baseDir, '.dependency-cruiser.cjs'),
});

for (const entry of forbidden) console.error(describe(entry));
console.log(`import rules: ${moduleCount} modules read, ${forbidden.length} forbidden imports`);
process.exitCode = forbidden.length > 0 ? 1 : 0;

function describe(entry: ForbiddenImport): string {
  const path = entry.via.length > 0 ? `\n    by way of ${entry.via.join(' → ')}` : '';
  return `${entry.rule}: ${entry.comment}\n    ${entry.from} → ${entry.to}${path}\n`;
}
