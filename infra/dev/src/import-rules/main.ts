import { join } from 'node:path';
import { CruiseError, cruiseWorkspace, type ForbiddenImport } from './cruise-workspace.ts';

const baseDir = join(import.meta.dirname, '../../../..');

process.exitCode = await check().catch((error: unknown) => {
  if (!(error instanceof CruiseError)) throw error;
  console.error(error.message);
  return 1;
});

async function check(): Promise<number> {
  const { moduleCount, forbidden } = await cruiseWorkspace({
    baseDir,
    rulesFile: join(baseDir, '.dependency-cruiser.cjs'),
  });
  for (const entry of forbidden) console.error(describe(entry));
  console.log(`import rules: ${moduleCount} modules read, ${forbidden.length} forbidden imports`);
  return forbidden.length > 0 ? 1 : 0;
}

function describe(entry: ForbiddenImport): string {
  const path = entry.via.length > 0 ? `\n    by way of ${entry.via.join(' → ')}` : '';
  return `${entry.rule}: ${entry.comment}\n    ${entry.from} → ${entry.to}${path}\n`;
}
