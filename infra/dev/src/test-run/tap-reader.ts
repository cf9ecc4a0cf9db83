/** One assertion that failed, with the names that lead to it and what tap knows about it. */
export interface TestFailure {
  readonly path: readonly string[];
  /** Lines of YAML; they come after the failure, so for the last one of a file they fill up after `onFile`. */
  readonly diagnostics: readonly string[];
}

/** One test, or part of one, that did not run, and why. */
export interface TestSkip {
  readonly path: readonly string[];
  readonly reason: string;
}

export interface FileResult {
  readonly file: string;
  readonly isOk: boolean;
  readonly durationMs: number;
  readonly passed: number;
  readonly failures: readonly TestFailure[];
  readonly skips: readonly TestSkip[];
}

/** tap's own count, from its last line. */
export interface Totals {
  readonly pass: number;
  readonly fail: number;
  readonly skip: number;
  readonly todo: number;
}

const indentWidth = 4;
const pointPattern = /^( *)(not ok|ok) \d+(?: - (.*))?$/;
const subtestPattern = /^( *)# Subtest: (.*)$/;

/**
 * Reads the TAP that `tap --reporter=tap` prints, line by line, and tells each test file as it ends.
 *
 * The totals come from tap's last line alone (`# { total: 7, pass: 4, fail: 1, todo: 1, skip: 1 }`); without that line the run
 * did not end, and there are none.
 */
export function createTapReader(onFile: (result: FileResult) => void) {
  const names: string[] = [];
  let current = emptyFile();
  let open: { lines: string[]; indent: number; hasBegun: boolean } | undefined;
  let totals: Totals | undefined;

  return {
    line(text: string): void {
      if (readDiagnostics(text)) return;
      const subtest = subtestPattern.exec(text);
      if (subtest) names[depthOf(subtest[1])] = subtest[2] ?? '';
      else readPoint(text);
      totals = readTotals(text) ?? totals;
    },
    totals: () => totals,
  };

  function readPoint(text: string): void {
    const point = pointPattern.exec(text);
    if (!point) return;
    const depth = depthOf(point[1]);
    const { name, directive, reason, durationMs } = splitDescription(point[3] ?? '');
    const isSummary = names[depth] === name;
    const isOk = point[2] === 'ok';
    const path = [...names.slice(1, depth), ...(depth > 0 ? [name] : [])];
    names.length = depth;

    if (directive === 'SKIP') current.skips.push({ path, reason });
    else if (isOk && !isSummary && directive === undefined) current.passed += 1;
    // A failed subtest only repeats what failed inside it, unless nothing inside did.
    else if (!isOk && directive !== 'TODO' && !current.failures.some((failure) => isInside(failure.path, path))) {
      open = { lines: [], indent: (point[1] ?? '').length, hasBegun: false };
      current.failures.push({ path, diagnostics: open.lines });
    }
    if (depth === 0) endFile(name, isOk, durationMs);
  }

  function endFile(file: string, isOk: boolean, durationMs: number): void {
    const result = current;
    current = emptyFile();
    onFile({ file, isOk, durationMs, ...result });
  }

  function readDiagnostics(text: string): boolean {
    if (!open) return false;
    const line = text.slice(open.indent + 2);
    if (!open.hasBegun) {
      open.hasBegun = line.trimEnd() === '---';
      if (!open.hasBegun) open = undefined;
      return open !== undefined;
    }
    if (line.trimEnd() === '...') open = undefined;
    else open.lines.push(line);
    return true;
  }
}

function emptyFile(): { passed: number; skips: TestSkip[]; failures: TestFailure[] } {
  return { passed: 0, skips: [], failures: [] };
}

function depthOf(indent: string | undefined): number {
  return Math.floor((indent ?? '').length / indentWidth);
}

function isInside(path: readonly string[], outer: readonly string[]): boolean {
  return outer.every((name, index) => path[index] === name);
}

function splitDescription(text: string): { name: string; directive?: string; reason: string; durationMs: number } {
  const [, name = text, comment = ''] = /^(.*?)(?:(?<!\\) # (.*))?$/.exec(text) ?? [];
  const directive = /^(SKIP|TODO)\b\s*(.*)$/i.exec(comment);
  const durationMs = Number(/^time=([\d.]+)ms/.exec(comment)?.[1] ?? 0);
  const plain = { name: name.replaceAll('\\#', '#'), reason: directive?.[2] ?? '', durationMs };
  return directive?.[1] ? { ...plain, directive: directive[1].toUpperCase() } : plain;
}

function readTotals(text: string): Totals | undefined {
  if (!/^# \{ total: \d+/.test(text)) return undefined;
  const count = (name: string): number => Number(new RegExp(`\\b${name}: (\\d+)`).exec(text)?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail'), skip: count('skip'), todo: count('todo') };
}
