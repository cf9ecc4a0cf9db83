import {
  formatAccuracy,
  formatBattery,
  formatCoordinates,
  formatHeading,
  formatSpeed,
} from '../vehicles/format-motion.ts';
import type { Moment } from './moment.ts';
import styles from './replay.module.css';

/** The fix in force at the moment shown. */
export function ReplayFigures({ moment }: { moment: Moment | undefined }) {
  const { fix, speedMps } = moment?.point ?? {};
  const figures = [
    ['Speed', formatSpeed(speedMps)],
    ['Heading', formatHeading(moment?.headingDegrees)],
    ['Accuracy', formatAccuracy(fix?.accuracyMeters)],
    ['Battery', formatBattery(fix?.batteryPercent)],
    ['Position', fix ? formatCoordinates(fix.lat, fix.lng) : '–'],
  ] as const;
  return (
    <dl className={styles.figures} aria-label="Fix at this moment">
      {moment?.isInGap && (
        <div className={styles.gap}>
          <dt>Gap</dt>
          <dd>no fixes here</dd>
        </div>
      )}
      {figures.map(([name, value]) => (
        <div key={name} data-figure={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
