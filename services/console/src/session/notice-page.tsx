import type { ReactNode } from 'react';
import styles from './notice-page.module.css';

/** A page with one thing to say: what happened, and what to do about it. */
export function NoticePage({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={styles.page}>
      <section className={styles.card} aria-labelledby="notice-title">
        <Mark />
        <h1 id="notice-title">{title}</h1>
        <div className={styles.body}>{children}</div>
      </section>
    </main>
  );
}

function Mark() {
  return (
    <svg className={styles.mark} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 5 25.5 26 16 21.2 6.5 26Z" />
    </svg>
  );
}
