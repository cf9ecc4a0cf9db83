import type { TrackFormat } from '@hushryd/sdk/http/http-client';
import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useBackend } from '../../data/backend.ts';
import { saveFile } from '../../data/save-file.ts';
import { ProblemNote } from '../../feedback/problem-note.tsx';
import { TextButton } from '../../feedback/text-button.tsx';
import styles from './panel.module.css';

const formats: Record<TrackFormat, { name: string; mediaType: string }> = {
  gpx: { name: 'GPX', mediaType: 'application/gpx+xml' },
  geojson: { name: 'GeoJSON', mediaType: 'application/geo+json' },
  csv: { name: 'CSV', mediaType: 'text/csv' },
};

/** The whole track as a file, as stored: the export is made by the server. */
export function ExportButtons({ tripId }: { tripId: string }) {
  const { http } = useBackend();
  const exporting = useMutation({
    mutationFn: async (format: TrackFormat) =>
      saveFile(await http.exportTrack(tripId, format), {
        name: `${tripId}.${format}`,
        mediaType: formats[format].mediaType,
      }),
  });
  return (
    <div className={styles.exports} role="toolbar" aria-label="Export the track">
      {(Object.keys(formats) as TrackFormat[]).map((format) => (
        <TextButton
          key={format}
          aria-label={`Export as ${formats[format].name}`}
          disabled={exporting.isPending}
          onClick={() => exporting.mutate(format)}
        >
          <Download size={14} aria-hidden /> {formats[format].name}
        </TextButton>
      ))}
      {exporting.error && (
        <ProblemNote
          error={exporting.error}
          what="The export failed."
          onRetry={() => exporting.variables && exporting.mutate(exporting.variables)}
        />
      )}
    </div>
  );
}
