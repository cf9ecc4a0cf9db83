import { CopyButton } from '../feedback/copy-button.tsx';
import { TextButton } from '../feedback/text-button.tsx';
import { NoticePage } from './notice-page.tsx';
import type { SessionState } from './session.ts';

type SignedOut = Extract<SessionState, { status: 'signed-out' }>;

const titles: Record<SignedOut['why'], string> = {
  'no-code': 'Open the console with its one-time link',
  'code-refused': 'This link was used already, or is too old',
  'session-ended': 'Your session has ended',
  left: 'You are signed out',
  unreachable: 'The sign-in service does not answer',
};

/** Nobody is signed in: why, and how to get a new link. */
export function SignedOutPage({ state, onRetry }: { state: SignedOut; onRetry: () => void }) {
  return (
    <NoticePage title={titles[state.why]}>
      {state.why === 'unreachable' ? (
        <>
          <p>Nothing is lost. Check that HushRyd runs and that this machine reaches it, then try again.</p>
          <TextButton onClick={onRetry}>Try again</TextButton>
        </>
      ) : (
        <>
          {state.why === 'code-refused' && <p>A link signs in once, within ten minutes of being printed.</p>}
          <p>
            Press Enter in the terminal where <code>npm start</code> runs: it prints a new link. If HushRyd does not
            run, <code>npm start</code> in its folder starts it and prints one.
          </p>
        </>
      )}
      {state.correlationId !== undefined && (
        <p>
          For support: <code>{state.correlationId}</code>{' '}
          <CopyButton text={state.correlationId} label="Copy the correlation id" />
        </p>
      )}
    </NoticePage>
  );
}
