import type { AlertExportFormat } from '@hushryd/sdk/http/sos-requests';
import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { saveFile } from '../../data/save-file.ts';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { TextButton } from '../../feedback/text-button.tsx';
import styles from './timeline.module.css';

const formats: Record<AlertExportFormat, { name: string; mediaType: string; title: string }> = {
  json: { name: 'JSON', mediaType: 'application/json', title: 'The sealed timeline: npm run verify-timeline -- FILE' },
  gpx: { name: 'GPX', mediaType: 'application/gpx+xml', title: 'Where both phones were' },
};

/** The alert as evidence: made and sealed by the server, saved as it is. That it was taken stands in the timeline. */
export function ExportButtons({ alertId }: { alertId: string }) {
  const { http } = useBackend();
  const exporting = useMutation({
    mutationFn: async (format: AlertExportFormat) =>
      saveFile(await http.exportAlert(alertId, format), {
        name: `sos-${alertId}.${format}`,
        mediaType: formats[format].mediaType,
      }),
  });
  return (
    <div className={styles.exports} role="toolbar" aria-label="Export the alert">
      {exporting.error && (
        <ProblemNote
          error={exporting.error}
          what="The export failed."
          onRetry={() => exporting.variables && exporting.mutate(exporting.variables)}
        />
      )}
      {(Object.keys(formats) as AlertExportFormat[]).map((format) => (
        <TextButton
          key={format}
          aria-label={`Export as ${formats[format].name}`}
          title={formats[format].title}
          disabled={exporting.isPending}
          onClick={() => exporting.mutate(format)}
        >
          <Download size={14} aria-hidden /> {formats[format].name}
        </TextButton>
      ))}
    </div>
  );
}
