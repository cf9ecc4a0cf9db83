import { useCallback, useEffect, useState } from 'react';
import { useBackend } from './backend.ts';
import type { LinkStatus } from './link-status.ts';

/** The connection as it is, looked at twice a second: lateness grows by itself. */
export function useLinkStatus(): { status: LinkStatus; reconnectNow: () => void } {
  const backend = useBackend();
  const [status, setStatus] = useState(backend.linkStatus);
  const look = useCallback(() => setStatus(backend.linkStatus()), [backend]);
  useEffect(() => {
    look();
    const stop = backend.onLinkChange(look);
    const timer = setInterval(look, 500);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [backend, look]);
  return { status, reconnectNow: backend.reconnectNow };
}
