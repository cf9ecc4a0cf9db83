import type { ButtonHTMLAttributes, ReactNode } from 'react';
import styles from './feedback.module.css';

interface TextButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  children: ReactNode;
  /** The key that does the same, shown beside the words. */
  keyName?: string;
  /** For a switch: on or off. */
  isPressed?: boolean;
}

export function TextButton({ children, keyName, isPressed, ...rest }: TextButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={styles.button}
      {...(isPressed === undefined ? {} : { 'aria-pressed': isPressed })}
      {...(keyName === undefined ? {} : { 'aria-keyshortcuts': keyName })}
    >
      {children}
      {keyName !== undefined && <Key name={keyName} />}
    </button>
  );
}

/** A key as printed on the keyboard. */
export function Key({ name }: { name: string }) {
  return (
    <span className={styles.key} aria-hidden="true">
      {name}
    </span>
  );
}
