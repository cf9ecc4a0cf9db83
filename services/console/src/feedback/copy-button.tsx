import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import styles from './feedback.module.css';

/** Copies a text and says so for a moment. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);

  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text);
    setIsCopied(true);
  }

  return (
    <button type="button" className={styles.copy} aria-label={label} title={label} onClick={() => void copy()}>
      {isCopied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      <span className="spoken-only" role="status">
        {isCopied ? 'Copied' : ''}
      </span>
    </button>
  );
}
