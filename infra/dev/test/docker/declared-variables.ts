import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A variable that a service's schema declares, with the default where it is written as a plain value. */
export interface DeclaredVariable {
  readonly name: string;
  readonly file: string;
  readonly defaultValue: string | undefined;
}

const roots = ['packages', 'services'];
// `  NAME: Type.Integer({ … default: 500 … }),` up to the next property at the same depth.
const declaration = /^ {2}([A-Z][A-Z0-9_]{2,}): (?:Type\.|atMost\()([\s\S]*?)(?=^ {2}\S|^\})/gm;

/**
 * Every environment variable in the schemas of packages and services, read from their sources: a service's schema is its own,
 * and nobody imports a service.
 */
export function declaredVariables(rootDir: string): DeclaredVariable[] {
  return roots
    .flatMap((root) => sourcesBelow(join(rootDir, root)))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(declaration)].map(([, name = '', body = '']) => ({
        name,
        file,
        defaultValue: plainDefault(body),
      })),
    );
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(?:node_modules|dist|test)$/.test(entry.name) ? [] : sourcesBelow(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

function plainDefault(body: string): string | undefined {
  const [, text] = /\bdefault: ('[^']*'|[\d_]+|true|false)(?=[,\s}])(?! \*)/.exec(body) ?? [];
  if (text === undefined) return undefined;
  return text.startsWith("'") ? text.slice(1, -1) : text.replaceAll('_', '');
}
