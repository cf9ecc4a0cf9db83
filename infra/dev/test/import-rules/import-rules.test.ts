import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { cruiseWorkspace } from '../../src/import-rules/cruise-workspace.ts';
import { createFixtureWorkspace } from './fixture-workspace.ts';
import { innocentFiles, plantedImports, plantedTargets } from './planted-imports.ts';

const rulesFile = join(import.meta.dirname, '../../../../.dependency-cruiser.cjs');
const rules = (createRequire(import.meta.url)(rulesFile) as { forbidden: { name: string }[] }).forbidden;

t.test('a workspace that keeps to the table passes', async (t) => {
  const workspace = createFixtureWorkspace(innocentFiles);
  t.teardown(workspace.remove);

  const report = await cruiseWorkspace({ baseDir: workspace.baseDir, rulesFile });

  t.same(report.forbidden, []);
  t.equal(report.moduleCount, Object.keys(innocentFiles).length, 'every file was read');
});

t.test('each rule names the forbidden import that was planted for it', async (t) => {
  const planted = plantedImports.map(({ file, code }) => [file, `${code}\n`]);
  const workspace = createFixtureWorkspace({
    ...innocentFiles,
    ...plantedTargets,
    ...Object.fromEntries(planted),
  });
  t.teardown(workspace.remove);

  const report = await cruiseWorkspace({ baseDir: workspace.baseDir, rulesFile });

  for (const { rule, file, to } of plantedImports) {
    const found = report.forbidden.some((entry) => entry.rule === rule && entry.from === file && entry.to === to);
    t.ok(found, `${rule}: ${file} → ${to}`, {
      found: report.forbidden.filter((entry) => entry.from === file || entry.rule === rule),
    });
  }
});

t.test('no rule is without a planted import, and no planted import without its rule', async (t) => {
  const planted = new Set(plantedImports.map(({ rule }) => rule));

  t.same([...planted].sort(), rules.map(({ name }) => name).sort());
});

t.test('a check that reads nothing fails', async (t) => {
  const workspace = createFixtureWorkspace({});
  t.teardown(workspace.remove);

  await t.rejects(cruiseWorkspace({ baseDir: workspace.baseDir, rulesFile }), { message: /read no module/ });
});
