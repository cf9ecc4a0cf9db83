import type { ReactNode } from 'react';
import styles from './feedback.module.css';

/** Why there is nothing here, and what would fill it. */
export function EmptyState({ title, children, icon }: { title: string; children: ReactNode; icon?: ReactNode }) {
  return (
    <div className={styles.empty} role="status">
      {icon}
      <strong>{title}</strong>
      <div>{children}</div>
    </div>
  );
}

/** Grey lines where text will stand, of the same height, so that nothing jumps when it comes. */
export function SkeletonLines({ count, label }: { count: number; label: string }) {
  return (
    <div className={styles.skeleton} role="status" aria-label={label}>
      {Array.from({ length: count }, (_, index) => (
        <span key={`line-${String(index)}`} style={{ width: `${88 - ((index * 29) % 45)}%` }} />
      ))}
    </div>
  );
}
