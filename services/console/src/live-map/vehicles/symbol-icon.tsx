import type { SymbolKind } from './symbol.ts';
import styles from './symbol-icon.module.css';

/** The map's symbol beside a word: the same shapes, so that list, legend and map explain one another. */
export function SymbolIcon({
  kind,
  headingDegrees = 0,
  size = 16,
}: {
  kind: SymbolKind;
  headingDegrees?: number;
  size?: number;
}) {
  const turn = kind === 'silent' || kind === 'off' ? 0 : headingDegrees;
  return (
    <svg
      className={styles.symbol}
      data-kind={kind}
      viewBox="-10 -10 20 20"
      width={size}
      height={size}
      aria-hidden="true"
      style={{ transform: `rotate(${Math.round(turn)}deg)` }}
    >
      {kind === 'on_trip' && (
        <path d="M0-8 6.2 7 0 3.8-6.2 7Z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />
      )}
      {kind === 'available' && (
        <path d="M0-8 6.2 7 0 3.8-6.2 7Z" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinejoin="round" />
      )}
      {kind === 'off' && <circle r="5" fill="none" stroke="currentColor" strokeWidth="1.75" />}
      {kind === 'silent' && (
        <rect x="-5.5" y="-5.5" width="11" height="11" rx="1.5" fill="none" stroke="currentColor" strokeWidth="1.75" />
      )}
    </svg>
  );
}
