import { useMutation } from '@tanstack/react-query';
import { ExternalLink, Smartphone } from 'lucide-react';
import type { Simulation } from '../../config.ts';
import { useBackend } from '../../data/backend.ts';
import { TextButton } from '../../feedback/text-button.tsx';
import { navigate } from '../../routing/view-store.ts';
import { pressSimulatedSos } from './press-simulated-sos.ts';
import styles from './simulated.module.css';

/** Only where the system was started to be tried out: a made-up rider presses SOS, and made-up contacts get it into an inbox. */
export function SimulatedSos({ simulation }: { simulation: Simulation }) {
  const { getToken } = useBackend();
  const pressing = useMutation({
    mutationFn: () => pressSimulatedSos(simulation.sosUrl, getToken),
    onSuccess: ({ alertId }) => navigate({ room: 'sos', alertId }),
  });
  return (
    <div className={styles.simulated}>
      <TextButton disabled={pressing.isPending} onClick={() => pressing.mutate()}>
        <Smartphone size={14} aria-hidden />{' '}
        {pressing.isPending ? 'A rider is pressing…' : 'Let a simulated rider press SOS'}
      </TextButton>
      {pressing.error !== null && <p role="alert">{pressing.error.message}</p>}
      <a href={simulation.inboxUrl} target="_blank" rel="noreferrer">
        Inbox of the made-up contacts <ExternalLink size={12} aria-hidden />
      </a>
    </div>
  );
}
