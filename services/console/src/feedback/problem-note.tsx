import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import { TriangleAlert } from 'lucide-react';
import { CopyButton } from './copy-button.tsx';
import styles from './feedback.module.css';
import { TextButton } from './text-button.tsx';

/** An error in words: what happened, what still works, what to do, and the id that support asks for. */
export function ProblemNote({
  error,
  what,
  stillWorks,
  onRetry,
}: {
  error: unknown;
  /** What could not be done, as a sentence. */
  what: string;
  stillWorks?: string;
  onRetry?: () => void;
}) {
  const problem = error instanceof HttpProblem ? error : undefined;
  return (
    <div className={styles.problem} role="alert">
      <TriangleAlert size={16} aria-hidden />
      <div>
        <strong>{what}</strong>
        <p>
          {reasonOf(error)} {stillWorks}
        </p>
        {problem?.correlationId !== undefined && (
          <p className={styles.correlation}>
            <code>{problem.correlationId}</code>
            <CopyButton text={problem.correlationId} label="Copy the correlation id" />
          </p>
        )}
        {onRetry && (problem?.isRetryable ?? true) && <TextButton onClick={onRetry}>Try again</TextButton>}
      </div>
    </div>
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof HttpProblem)) return error instanceof Error ? `${error.message}.` : '';
  if (error.code === 'unreachable') return 'No answer came from the API; check the connection.';
  if (error.code === 'not_found') return 'There is no such thing, or it was removed.';
  return `${error.message}.`;
}
