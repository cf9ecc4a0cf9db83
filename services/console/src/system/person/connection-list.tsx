import type { ConnectionsReply } from '@hushryd/contracts/http/realtime';
import { Unplug } from 'lucide-react';
import { useState } from 'react';
import { useBackend } from '../../data/backend.ts';
import { ActionDialog } from '../../feedback/action-dialog.tsx';
import { CopyButton } from '../../feedback/copy-button.tsx';
import { EmptyState, SkeletonLines } from '../../feedback/empty-state.tsx';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { TextButton } from '../../feedback/text-button.tsx';
import { formatAbsolute, formatAge } from '../../time/format-time.ts';
import { useTicking } from '../../time/use-ticking.ts';
import { describeOutcome } from './end-connection.ts';
import styles from './person.module.css';
import { useConnections, useEndConnection } from './use-connections.ts';

type OpenConnection = ConnectionsReply['connections'][number];

/** The open connections of one person, each of which can be ended. */
export function ConnectionList({ userId, onDone }: { userId: string; onDone: (words: string) => void }) {
  const { data, error, isLoading, refetch } = useConnections(userId);
  const [ending, setEnding] = useState<string>();
  return (
    <div className={styles.connections}>
      {error !== null && (
        <ProblemNote
          error={error}
          what={data ? 'The list is not renewed.' : 'The connections could not be read.'}
          onRetry={() => void refetch()}
        />
      )}
      {isLoading && <SkeletonLines count={4} label="Connections are loading" />}
      {data?.connections.length === 0 && <NoConnections userId={userId} />}
      {data !== undefined && data.connections.length > 0 && (
        <ul aria-label={`Open connections of ${userId}`}>
          {data.connections.map((connection) => (
            <ConnectionItem
              key={connection.connectionId}
              connection={connection}
              onEnd={() => setEnding(connection.connectionId)}
            />
          ))}
        </ul>
      )}
      <EndConnectionDialog userId={userId} connectionId={ending} onClose={() => setEnding(undefined)} onDone={onDone} />
    </div>
  );
}

function ConnectionItem({ connection, onEnd }: { connection: OpenConnection; onEnd: () => void }) {
  const { connectionId, nodeId, tokenExpiresAt } = connection;
  const { realtime } = useBackend();
  const nowMs = useTicking(Date.now, 1_000);
  const expiresAtMs = Date.parse(tokenExpiresAt);
  const isThisWindow = 'connectionId' in realtime.state && realtime.state.connectionId === connectionId;
  return (
    <li>
      <div className={styles.connectionId}>
        <code title={connectionId}>{connectionId}</code>
        <CopyButton text={connectionId} label={`Copy the id ${connectionId}`} />
        {isThisWindow && <span>this window</span>}
      </div>
      <dl>
        <div>
          <dt>Node</dt>
          <dd title={nodeId}>{nodeId}</dd>
        </div>
        <div>
          <dt>Token ends</dt>
          <dd title={formatAbsolute(expiresAtMs)}>
            {expiresAtMs > nowMs ? `in ${formatAge(expiresAtMs - nowMs)}` : 'now'}
          </dd>
        </div>
      </dl>
      <TextButton aria-label={`End connection ${connectionId}`} onClick={onEnd}>
        <Unplug size={14} aria-hidden />
        End connection
      </TextButton>
    </li>
  );
}

function EndConnectionDialog(input: {
  userId: string;
  /** Which one; none while the dialog is closed. */
  connectionId: string | undefined;
  onClose: () => void;
  onDone: (words: string) => void;
}) {
  const { userId, connectionId, onClose, onDone } = input;
  const { mutate, isPending, error, reset } = useEndConnection(userId, (outcome) => {
    onDone(describeOutcome(outcome));
    close();
  });

  function close(): void {
    reset();
    onClose();
  }

  return (
    <ActionDialog
      isOpen={connectionId !== undefined}
      onOpenChange={(isOpen) => !isOpen && close()}
      title="End this connection?"
      confirm={{ words: 'End connection', wordsWhileBusy: 'Ending…', isDestructive: true }}
      onConfirm={() => connectionId !== undefined && mutate(connectionId)}
      isBusy={isPending}
      focusWhenDone="person-heading"
      problem={error && { error, what: 'It is not known whether the connection has ended.' }}
    >
      <p>
        <code>{connectionId}</code> of <strong>{userId}</strong> is closed with code 4502. The app does not come back by
        itself: the person has to connect again. Other connections of theirs go on.
      </p>
    </ActionDialog>
  );
}

function NoConnections({ userId }: { userId: string }) {
  return (
    <EmptyState title="No open connection" icon={<Unplug size={20} aria-hidden />}>
      <p>
        {userId} is on no node at the moment. What they open appears here within seconds; a notice reaches them when
        they come back within an hour.
      </p>
    </EmptyState>
  );
}
