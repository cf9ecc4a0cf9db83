import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { type ConsoleConfig, loadConfig } from './config.ts';
import { type Backend, BackendContext, createBackend } from './data/backend.ts';
import { createQueryClient } from './data/query-client.ts';
import { Frame } from './frame/frame.tsx';
import { NoticePage } from './session/notice-page.tsx';
import { createSession, type Session } from './session/session.ts';
import { SignedOutPage } from './session/signed-out-page.tsx';
import type { SignedInUser } from './session/token-endpoint.ts';

type Start = { config: ConsoleConfig; session: Session } | { failure: string } | undefined;

// Effects run twice in development; a one-time code may be exchanged only once.
let starting: Promise<Start> | undefined;

/** Settings, then sign-in, then the rooms. */
export function App({ code }: { code: string | undefined }) {
  const [start, setStart] = useState<Start>();
  useEffect(() => {
    starting ??= startUp(code);
    void starting.then(setStart);
  }, [code]);

  if (start === undefined) return null;
  if ('failure' in start) {
    return (
      <NoticePage title="The console cannot start">
        <p>{start.failure}</p>
      </NoticePage>
    );
  }
  return <SignedInGate config={start.config} session={start.session} />;
}

async function startUp(code: string | undefined): Promise<Start> {
  try {
    const config = await loadConfig();
    const session = createSession({ tokenUrl: config.tokenUrl, storage: window.sessionStorage });
    void session.start(code);
    return { config, session };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function SignedInGate({ config, session }: { config: ConsoleConfig; session: Session }) {
  const state = useSyncExternalStore(session.subscribe, session.state);
  if (state.status === 'starting') return null;
  if (state.status === 'signed-out')
    return <SignedOutPage state={state} onRetry={() => void session.start(undefined)} />;
  return (
    <BackendProvider config={config} session={session} user={state.user} key={state.user.userId}>
      <Frame user={state.user} onSignOut={() => session.end('left')} />
    </BackendProvider>
  );
}

function BackendProvider({
  config,
  session,
  user,
  children,
}: {
  config: ConsoleConfig;
  session: Session;
  user: SignedInUser;
  children: React.ReactNode;
}) {
  const [queries] = useState(createQueryClient);
  const [backend, setBackend] = useState<Backend>();
  useEffect(() => {
    const created = createBackend({ config, session, user });
    setBackend(created);
    return () => created.close();
    // Its id is the key of this component.
  }, [config, session, user]);

  if (backend === undefined) return null;
  return (
    <QueryClientProvider client={queries}>
      <BackendContext value={backend}>{children}</BackendContext>
    </QueryClientProvider>
  );
}
